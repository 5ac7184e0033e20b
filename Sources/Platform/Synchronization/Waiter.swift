/// One thread that waits in one queue. Whoever takes it out of the queue answers it, once, and then
/// unparks the thread; the thread waits until it sees the answer, because permits may come from
/// elsewhere.
@safe
final class Waiter: @unchecked Sendable {
  // Unchecked: `next` and `passedOver` change only under the queue's own rule (see there).
  enum Answer {
    static let none: UInt64 = 0
    /// Look again.
    static let woken: UInt64 = 1
    /// The lock is yours.
    static let granted: UInt64 = 2
  }

  let thread: ThreadID
  let answer = AtomicWord(Answer.none)
  /// How often its owner was woken and found the lock taken again.
  let passedOver: Int
  /// A reference that the queue owns.
  var next: Unmanaged<Waiter>?

  init(_ thread: ThreadID, passedOver: Int = 0) {
    self.thread = thread
    self.passedOver = passedOver
  }
}
