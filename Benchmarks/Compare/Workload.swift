/// What is timed. The names are those of the JSON lines.
enum Workload: String, CaseIterable, Sendable {
  case loadSequential = "load_seq"
  case loadRandom = "load_rand"
  case readRandom = "read_rand"
  case readZipfian = "read_zipf"
  case scan
  case ranges = "range100"
  case mixed95 = "mixed_95_5"
  case mixed50 = "mixed_50_50"
  case batches = "batch_100"
  case overwrite = "overwrite3"
  case commitSync = "commit_sync"
  case nextID = "next_id"
  case delete = "delete_rand"

  /// The numbers of threads that the workload runs with.
  var threads: [Int] {
    switch self {
    case .readRandom, .readZipfian, .mixed95, .mixed50: [1, 2]
    case .commitSync: [1, 8]
    case .nextID: [2]
    default: [1]
    }
  }

  /// What an operation is, for the table.
  var unit: String {
    switch self {
    case .scan, .ranges, .batches: "keys"
    case .commitSync: "commits"
    case .nextID: "ids"
    default: "operations"
    }
  }
}

/// One workload with one number of threads, the same for both engines of a pair.
struct Step: Sendable {
  static let batchSize = 100
  static let rangeLength = 100

  let workload: Workload
  let threads: Int
  let entries: Int
  /// The indices that each thread works on, in its order; drawn before the time is taken.
  let draws: [[UInt32]]
  /// The versions of this step's writes begin here: an engine may skip writing an equal value.
  let firstVersion: UInt64

  init(_ workload: Workload, threads: Int, entries: Int, serial: Int, seed: UInt64) {
    self.workload = workload
    self.threads = threads
    self.entries = entries
    firstVersion = UInt64(serial) << 40
    draws = (0..<threads).map { thread in
      var random = Draws(seed: Item.mix(seed &+ UInt64(serial * 64 + thread)))
      return random.indices(for: workload, entries: entries, threads: threads)
    }
  }
}

/// Indices by a generator of its own, the same on every run with the same seed.
struct Draws {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Item.mix(state)
  }

  private mutating func below(_ bound: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  mutating func indices(for workload: Workload, entries: Int, threads: Int) -> [UInt32] {
    let share = max(entries / threads, 1)
    switch workload {
    case .loadSequential, .loadRandom: return (0..<UInt32(entries)).map { $0 }
    case .scan, .nextID: return []
    case .overwrite, .delete:
      // An order that is not the order of loading: steps of a prime go through all indices.
      let step = entries % 7_368_787 == 0 ? 1 : 7_368_787
      return (0..<entries).map { UInt32($0 * step % entries) }
    case .ranges:
      return (0..<max(entries / Step.rangeLength, 1)).map { _ in below(entries) }
    case .commitSync:
      return (0..<min(2000, entries) / threads).map { _ in below(entries) }
    case .readZipfian:
      let zipfian = Zipfian(count: entries)
      return (0..<share).map { _ in
        // The popular ranks are spread over all keys.
        let unit = Double(next() >> 11) * 0x1p-53
        return UInt32(Item.mix(UInt64(zipfian.rank(unit))) % UInt64(entries))
      }
    case .readRandom, .mixed95, .mixed50, .batches:
      return (0..<share).map { _ in below(entries) }
    }
  }
}
