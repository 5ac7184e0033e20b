/// What is timed. The names are those of the JSON lines.
enum Workload: String, CaseIterable, Codable, Sendable {
  case loadSequential = "load_seq"
  case loadRandom = "load_rand"
  case readRandom = "read_rand"
  case readZipfian = "read_zipf"
  case scan
  case ranges = "range100"
  case mixed95 = "mixed_95_5"
  case mixed50 = "mixed_50_50"
  case latency = "latency_50_50"
  case batches = "batch_100"
  case overwrite = "overwrite3"
  case delete = "delete_rand"
  case nextID = "next_id"
  case commitSync = "commit_sync"
  case small95 = "small_95_5"
  case spaceOverwrite = "space_overwrite10"
  case writeVolume = "write_volume"
  case reopenKill = "reopen_kill"
  case sequentialKeys = "sequential_keys"
  case compression
  case idle
  case largerThanMemory = "larger_than_memory"
  case growth

  /// The numbers of threads that the workload runs with.
  var threads: [Int] {
    switch self {
    case .readRandom, .readZipfian, .mixed95, .mixed50, .small95: [1, 2]
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
    case .reopenKill: "openings"
    case .idle: "wake-ups"
    default: "operations"
    }
  }

  /// Peers that were the two best ones when all were measured: those that `--quick` runs.
  var bestPeers: [String] {
    switch self {
    case .loadSequential, .loadRandom, .scan, .ranges, .batches, .overwrite, .delete:
      ["lmdb", "leveldb"]
    case .readRandom, .readZipfian, .mixed95, .mixed50, .small95, .latency, .reopenKill, .growth:
      ["lmdb", "wiredtiger"]
    case .commitSync: ["wiredtiger", "leveldb"]
    case .spaceOverwrite: ["sqlite", "rocksdb"]
    case .writeVolume, .compression, .largerThanMemory: ["rocksdb", "wiredtiger"]
    case .sequentialKeys: ["rocksdb", "leveldb"]
    case .nextID, .idle: []
    }
  }

  /// Whether `--quick` runs it: all data fits into memory, and it takes no more than a few minutes.
  var isQuick: Bool { self != .largerThanMemory && self != .growth }
}

/// What each thread of a step does.
enum Action: String, Codable, Sendable {
  /// Writes of new entries by index, `loadTransaction` of the engine a commit.
  case load
  /// Writes of all entries in the order drawn, each a commit.
  case put
  case read
  case scan
  case range
  /// Reads and overwrites, `updatesOfTwenty` of twenty being overwrites.
  case mix
  case batch
  /// Overwrites of everything, `rounds` times.
  case overwrite
  case remove
  case commit
  case identify
}

/// One workload with one number of threads, the same for every engine. Draws depend on it alone.
struct Step: Codable, Sendable {
  static let batchSize = 100
  static let rangeLength = 100
  static let identifiersOfThread = 20_000_000

  var action: Action
  var shape = Shape.standard
  var threads = 1
  /// Entries that the database holds, or will.
  var entries: Int
  /// Operations of all threads; nil: one an entry.
  var operations: Int?
  /// Whether keys are drawn by Zipf's law.
  var isZipfian = false
  var updatesOfTwenty: UInt64 = 0
  var rounds = 1
  /// Versions of this step's writes begin at `serial << 24`: an engine may skip writing an equal value.
  var serial: Int
  var seed: UInt64
  /// Of how many operations one is timed: 1 for all, a power of two.
  var timedOneIn = 32
  /// Stops after this time instead of after the operations.
  var seconds: Double?

  var firstVersion: UInt64 { UInt64(serial) << 24 }
}

extension Workload {
  /// The step of a workload that is one, on the database of `load_rand` (or of `load_seq`).
  func step(entries: Int, threads: Int, serial: Int, seed: UInt64) -> Step {
    var step = Step(
      action: .read, threads: threads, entries: entries, serial: serial, seed: seed)
    switch self {
    case .loadSequential:
      step.action = .load
      step.shape.order = .sequential
    case .loadRandom: step.action = .put
    case .readZipfian: step.isZipfian = true
    case .scan:
      step.action = .scan
      // One scan of a million entries is over in some 40 ms.
      step.rounds = 8
    case .ranges:
      step.action = .range
      step.timedOneIn = 1
    case .mixed95, .small95:
      step.action = .mix
      step.updatesOfTwenty = 1
    case .mixed50, .latency:
      step.action = .mix
      step.updatesOfTwenty = 10
      if self == .latency { step.timedOneIn = 1 }
    case .batches:
      step.action = .batch
      step.timedOneIn = 1
    case .overwrite:
      step.action = .overwrite
      step.rounds = 3
    case .delete: step.action = .remove
    case .nextID: step.action = .identify
    case .commitSync:
      step.action = .commit
      step.timedOneIn = 1
    default: break
    }
    return step
  }
}
