import Platform
import Synchronization

/// Real threads, but a waiting loop that tries too often ends with an error instead of hanging the
/// test, and whoever wakes another thread may be held up.
final class HookedThreads: Threads {
  private let inner = RealThreads()
  private let limit: Int
  private let onUnpark = Mutex<(@Sendable () -> Void)?>(nil)

  init(mostBackOffs limit: Int = .max) { self.limit = limit }

  /// Called after each `unpark`, by the thread that woke another.
  func setOnUnpark(_ body: (@Sendable () -> Void)?) { onUnpark.withLock { $0 = body } }

  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID { try inner.spawn(name, body) }
  func join(_ thread: ThreadID) throws(PlatformError) { try inner.join(thread) }
  var current: ThreadID { inner.current }
  func park(until deadline: Instant?) throws(PlatformError) { try inner.park(until: deadline) }
  func unpark(_ thread: ThreadID) {
    inner.unpark(thread)
    onUnpark.withLock { $0 }?()
  }
  func backOff(attempt: Int) throws(PlatformError) {
    if attempt > limit { throw PlatformError(.killed, operation: "backOff") }
    try inner.backOff(attempt: attempt)
  }
}
