/// Threads, and the one primitive that all waiting is built on: parking.
///
/// A thread has one *permit*. `park` waits until the permit is there, takes it, and returns;
/// `unpark` gives it (giving twice gives one). `park` may also return without a permit, so every
/// caller waits in a loop around its own condition.
public protocol Threads: Sendable {
  /// Starts a thread. Its body must return for `join` to return.
  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID

  /// Waits until the thread has ended. Throws only `.killed`.
  func join(_ thread: ThreadID) throws(PlatformError)

  /// The calling thread. Any thread of the process may ask, spawned here or not.
  var current: ThreadID { get }

  /// Waits for this thread's permit, at most until `deadline`. Throws only `.killed`.
  func park(until deadline: Instant?) throws(PlatformError)

  /// Gives a permit to a thread. Harmless when the thread has ended.
  func unpark(_ thread: ThreadID)

  /// Lets others run. `attempt` counts the tries of one waiting loop, so that the platform can
  /// spin first and sleep later. Throws only `.killed`, so no waiting loop outlives its process.
  func backOff(attempt: Int) throws(PlatformError)
}

/// Names a thread of one `Threads` world.
public struct ThreadID: Hashable, Sendable {
  public var rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}
