public import Platform

/// `Threads` over a `Scheduler`.
public struct SimulatedThreads: Threads, @unchecked Sendable {
  // Unchecked: a simulation and all that belongs to it live on one operating-system thread.
  let scheduler: Scheduler

  public func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    try scheduler.step("spawn")
    precondition(scheduler.current != nil, "only a simulated thread can start another")
    return ThreadID(rawValue: try scheduler.start(name, body).id)
  }

  public func join(_ thread: ThreadID) throws(PlatformError) {
    try scheduler.join(thread.rawValue)
  }

  /// The id 0 stands for the world outside of simulated processes.
  public var current: ThreadID { ThreadID(rawValue: scheduler.current?.id ?? 0) }

  public func park(until deadline: Instant?) throws(PlatformError) {
    try scheduler.park(until: deadline?.nanoseconds ?? .max)
  }

  public func unpark(_ thread: ThreadID) { scheduler.unpark(thread.rawValue) }

  public func backOff(attempt: Int) throws(PlatformError) {
    try scheduler.backOff(attempt: attempt)
  }
}
