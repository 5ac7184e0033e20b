/// Waits for something that changes without a lock, as an atomic word.
///
///     try queue.wait(until: deadline) { durable.load() < wanted }    // one side
///     durable.store(now); queue.signalAll()                          // the other
///
/// A signal with nobody waiting costs one atomic read-modify-write. There is no lost wake-up as
/// long as the change comes before the signal.
public final class WaitQueue: Sendable {
  private let list: WaiterList
  private let clock: any Clock

  public init(threads: any Threads, clock: any Clock) {
    self.list = WaiterList(threads: threads)
    self.clock = clock
  }

  /// Waits until `blocked` says false (returns true) or the deadline has passed (returns whether
  /// `blocked` says false at last). Throws `.killed`, and whatever `blocked` throws.
  @discardableResult
  public func wait(
    until deadline: Instant? = nil, while blocked: () throws(PlatformError) -> Bool
  ) throws(PlatformError) -> Bool {
    while try blocked() {
      let waiter = try list.join()
      let stillBlocked: Bool
      do { stillBlocked = try blocked() } catch {
        try quit(waiter)
        throw error
      }
      if !stillBlocked {
        try quit(waiter)
        return true
      }
      if try !list.awaitAnswer(waiter, until: deadline, clock: clock) {
        try quit(waiter)
        return try !blocked()
      }
    }
    return true
  }

  /// Wakes the thread that has waited longest, if any waits.
  public func signalOne() { list.signalOne() }

  /// Wakes all that wait now.
  public func signalAll() { list.signalAll() }

  /// Leaves the queue; a signal that came meanwhile was meant for one who still waits.
  private func quit(_ waiter: Waiter) throws(PlatformError) {
    if try !list.leave(waiter) { list.signalOne() }
  }
}
