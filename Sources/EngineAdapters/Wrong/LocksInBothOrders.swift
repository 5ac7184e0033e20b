public import EngineKit
internal import Platform

/// Takes two locks for each call: who reads in one order, who writes in the other.
final class LocksInBothOrders: ForwardingEngine, @unchecked Sendable {
  private let threads: any Threads
  private let one: Lock
  private let other: Lock

  init(_ base: any KeyValueEngine, _ threads: any Threads) {
    self.threads = threads
    one = Lock(threads: threads)
    other = Lock(threads: threads)
    super.init(base)
  }

  override func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try lock(one, other)
    defer { unlock() }
    return try base.get(key, in: tree)
  }

  override func insert(
    _ value: Bytes, for key: Bytes, in tree: TreeName
  ) throws(EngineError) -> Bytes? {
    try lock(other, one)
    defer { unlock() }
    return try base.insert(value, for: key, in: tree)
  }

  private func lock(_ first: Lock, _ second: Lock) throws(EngineError) {
    do throws(PlatformError) {
      try first.lock()
      do throws(PlatformError) {
        // Sleeps, so that threads of the system meet here as surely as simulated ones.
        try threads.backOff(attempt: 20)
        try second.lock()
      } catch {
        first.unlock()
        throw error
      }
    } catch { throw EngineError(error) }
  }

  private func unlock() {
    one.unlock()
    other.unlock()
  }
}

extension WrongEngineFactory {
  public static func locksInBothOrders(over base: any EngineFactory) -> Self {
    WrongEngineFactory("locks-in-both-orders", over: base, convictedBy: ["progress"]) {
      LocksInBothOrders($0, $1.threads)
    }
  }
}
