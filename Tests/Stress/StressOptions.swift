import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How long, with how many threads, and where.
struct StressOptions: Sendable {
  var seconds = 60
  var threads = 4
  var seed: UInt64 = 1
  var directory = "/tmp"
  /// Keys that belong to one thread each, and that all of them read.
  let keys = 2400
  /// Groups of keys that batches keep equal, and counters that all threads raise.
  let groups = 24
  let counters = 6
  /// The most entries that the queue ever gets.
  let queue = 1 << 20

  init(_ arguments: [String]) {
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { Self.usage(name) }
      switch name {
      case "--seconds": seconds = Self.number(value, 1...86_400)
      case "--threads": threads = Self.number(value, 1...64)
      case "--seed": seed = UInt64(Self.number(value, 0...Int.max))
      case "--directory": directory = value
      default: Self.usage(name)
      }
    }
  }

  private static func number(_ text: String, _ range: ClosedRange<Int>) -> Int {
    guard let number = Int(text), range.contains(number) else { usage(text) }
    return number
  }

  private static func usage(_ found: String) -> Never {
    print("usage: stress [--seconds N] [--threads N] [--seed N] [--directory PATH]; found \(found)")
    exitProgram(2)
  }
}

func exitProgram(_ code: Int32) -> Never { exit(code) }

/// Removes a directory and all that is in it.
func erase(_ path: String, _ files: any FileSystem) {
  guard let status = try? files.status(path) else { return }
  if status.isDirectory {
    for name in (try? files.list(path)) ?? [] { erase(path + "/" + name, files) }
    try? files.removeDirectory(path)
  } else {
    try? files.remove(path)
  }
}

/// A generator with a known sequence (SplitMix64); each thread has its own.
struct Random {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  static func mix(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Random.mix(state)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func bool() -> Bool { next() & 1 == 0 }
}

/// What went wrong, from all threads.
final class Failures: @unchecked Sendable {
  // Unchecked: `lines` is touched with `lock` held only. Not a `Mutex` of the standard library, which
  // ThreadSanitizer does not see.
  private let lock: Lock
  private let number = AtomicWord(0)
  private var lines: [String] = []

  init(_ threads: any Threads) { lock = Lock(threads: threads) }

  var isEmpty: Bool { number.load() == 0 }
  var count: Int { Int(number.load()) }

  func add(_ line: String) {
    _ = number.fetchAdd(1)
    exclusively { if lines.count < 20 { lines.append(line) } }
  }

  var all: [String] {
    var copy: [String] = []
    exclusively { copy = lines }
    return copy
  }

  private func exclusively(_ body: () -> Void) {
    // Only a simulated process that was killed gets an error here.
    do { try lock.lock() } catch { preconditionFailure("\(error)") }
    body()
    lock.unlock()
  }
}
