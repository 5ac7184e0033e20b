/// A condition variable: waits for something that changes under a `Lock`.
///
///     try lock.lock()
///     defer { lock.unlock() }
///     while queue.isEmpty { try condition.wait(lock) }
///
/// A wait may return without cause, so it stands in a loop. Signals may be given with the lock held
/// or after it was given back.
public final class Condition: Sendable {
  private let list: WaiterList
  private let clock: any Clock

  public init(threads: any Threads, clock: any Clock) {
    self.list = WaiterList(threads: threads)
    self.clock = clock
  }

  /// Gives the lock back, waits for a signal or the deadline, and takes the lock again.
  ///
  /// Returns false when the deadline passed without a signal. Throws only `.killed`; then the lock
  /// is not held, and one further `unlock()` does nothing.
  ///
  /// - Precondition: the calling thread holds `lock`.
  @discardableResult
  public func wait(_ lock: Lock, until deadline: Instant? = nil) throws(PlatformError) -> Bool {
    precondition(lock.isHeldByCaller, "a condition's wait needs its lock")
    do {
      // Joining comes before unlocking: no signal for a change made from here on is missed.
      let waiter = try list.join()
      lock.unlock()
      var signalled = try list.awaitAnswer(waiter, until: deadline, clock: clock)
      if !signalled { signalled = try !list.leave(waiter) }
      try lock.lock()
      return signalled
    } catch {
      lock.abandon()
      if lock.isHeldByCaller { lock.unlock() }
      throw error
    }
  }

  /// Wakes the thread that has waited longest, if any waits.
  public func signalOne() { list.signalOne() }

  /// Wakes all that wait now.
  public func signalAll() { list.signalAll() }
}
