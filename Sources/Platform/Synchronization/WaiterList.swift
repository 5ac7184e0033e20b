/// The waiters of a condition or wait queue, oldest first.
///
/// Invariants:
/// - `waiters` is guarded by `guardian`, which is held for a few instructions only and never while
///   parking for the condition itself.
/// - `count` is the number of waiters. It changes by read-modify-write and a signal reads it by
///   read-modify-write, so one of two things is true of a waiter that joins while a signal comes:
///   the signal sees it, or it sees everything that happened before the signal.
final class WaiterList: @unchecked Sendable {
  // Unchecked: see the first invariant.
  let threads: any Threads
  private let guardian: Lock
  private let count = AtomicWord(0)
  private var waiters: [Waiter] = []

  init(threads: any Threads) {
    self.threads = threads
    self.guardian = Lock(threads: threads)
  }

  /// Puts the calling thread at the end. Throws only `.killed`.
  func join() throws(PlatformError) -> Waiter {
    let waiter = Waiter(threads.current)
    try guardian.lock()
    waiters.append(waiter)
    _ = count.fetchAdd(1)
    guardian.unlock()
    return waiter
  }

  /// Takes a waiter out. False when a signal had already taken it.
  func leave(_ waiter: Waiter) throws(PlatformError) -> Bool {
    try guardian.lock()
    defer { guardian.unlock() }
    guard let index = waiters.firstIndex(where: { $0 === waiter }) else { return false }
    waiters.remove(at: index)
    _ = count.fetchSubtract(1)
    return true
  }

  /// Parks until the waiter is answered (true) or the deadline has passed (false).
  func awaitAnswer(
    _ waiter: Waiter, until deadline: Instant?, clock: any Clock
  ) throws(PlatformError) -> Bool {
    while waiter.answer.load() == Waiter.Answer.none {
      if let deadline, clock.now() >= deadline { return false }
      try threads.park(until: deadline)
    }
    return true
  }

  /// Answers the oldest waiter, if there is one.
  func signalOne() {
    if count.fetchAdd(0) == 0 { return }
    // A dead process has nobody left to wake.
    guard (try? guardian.lock()) != nil else { return }
    let first = waiters.isEmpty ? nil : waiters.removeFirst()
    if first != nil { _ = count.fetchSubtract(1) }
    guardian.unlock()
    if let first { answer(first) }
  }

  /// Answers all that wait now.
  func signalAll() {
    if count.fetchAdd(0) == 0 { return }
    guard (try? guardian.lock()) != nil else { return }
    let all = waiters
    waiters = []
    _ = count.fetchSubtract(UInt64(all.count))
    guardian.unlock()
    var index = 0
    while index < all.count {
      answer(all[index])
      index += 1
    }
  }

  private func answer(_ waiter: Waiter) {
    let thread = waiter.thread
    waiter.answer.store(Waiter.Answer.woken)
    threads.unpark(thread)
  }
}
