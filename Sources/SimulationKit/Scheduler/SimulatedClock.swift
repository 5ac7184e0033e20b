public import Platform

/// Virtual time: it passes with seam calls, and jumps while every thread waits.
public struct SimulatedClock: Clock, @unchecked Sendable {
  // Unchecked: a simulation and all that belongs to it live on one operating-system thread.
  let scheduler: Scheduler

  public func now() -> Instant { Instant(nanoseconds: scheduler.now) }

  public func sleep(nanoseconds: UInt64) throws(PlatformError) {
    try scheduler.sleep(nanoseconds: nanoseconds)
  }
}
