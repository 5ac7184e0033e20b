/// A mutual-exclusion lock built on one atomic word and parking alone, so that a simulated thread
/// that waits for it gives way to another instead of stopping the process.
///
/// Not recursive. Waiting is first come, first served among those that sleep; a running thread may
/// go ahead of them (a hand-over to a sleeper costs two context switches), but a sleeper that was
/// overtaken `patience` times is handed the lock directly, so nobody starves.
///
/// The word: bit 0 says held; the rest is the newest of the waiters that have not been put in order
/// yet, each linked to the one before it.
///
/// Invariants:
/// - `ordered` (oldest first) is read and written by the holder only.
/// - Waiters are pushed only while the lock is held, and every release that leaves waiters behind
///   has woken one that will come for the lock. So there is no lost wake-up.
/// - `owner` is the holder's name plus one, and 0 while nobody holds the lock.
/// - The queue owns one reference to each waiter in it.
@safe
public final class Lock: @unchecked Sendable {
  // Unchecked: `ordered` is guarded by the lock itself.
  private static let held: UInt64 = 1
  private static let patience = 4
  private static let spins = 4

  let threads: any Threads
  private let word = AtomicWord(0)
  private let owner = AtomicWord(0)
  /// Set when a wait for the lock ended in `.killed`: from then on unlocking what one does not hold
  /// is allowed, because the dead process's `defer`s still run.
  private let abandoned = AtomicWord(0)
  // Each reference is one that the queue owns, so it is alive until the holder takes it out.
  private var ordered: Unmanaged<Waiter>?

  public init(threads: any Threads) { self.threads = threads }

  deinit {
    // Waiters remain only where their process was killed.
    unsafe Self.release(ordered)
    unsafe Self.release(Self.newest(word.loadRelaxed()))
  }

  /// Takes the lock when it is free, and says whether it did.
  public func tryLock() -> Bool {
    var seen = word.load()
    while seen & Self.held == 0 {
      if word.compareExchange(expected: seen, desired: seen | Self.held) {
        own()
        return true
      }
      seen = word.load()
    }
    return false
  }

  /// Waits for the lock and takes it. Throws only `.killed`; then the lock is not held.
  public func lock() throws(PlatformError) {
    if word.compareExchange(expected: 0, desired: Self.held) {
      own()
      return
    }
    try lockSlowly()
  }

  /// Gives the lock back.
  ///
  /// - Precondition: the calling thread holds it. (After a wait that threw `.killed` the call does
  ///   nothing, so `defer { lock.unlock() }` is safe around a condition's wait.)
  public func unlock() {
    guard owner.loadRelaxed() == name else {
      precondition(abandoned.load() != 0, "unlock of a lock that this thread does not hold")
      return
    }
    noteLockGiven(address)
    owner.storeRelaxed(0)
    if unsafe ordered == nil, word.compareExchange(expected: Self.held, desired: 0) { return }
    unlockSlowly()
  }

  /// Runs `body` with the lock held.
  public func withLock<Result: ~Copyable>(
    _ body: () throws(PlatformError) -> Result
  ) throws(PlatformError) -> Result {
    try lock()
    defer { unlock() }
    return try body()
  }

  /// True when the calling thread holds the lock; for preconditions.
  public var isHeldByCaller: Bool { owner.loadRelaxed() == name }

  /// Says that a wait which gave the lock up will not take it again: the process is dead.
  func abandon() { abandoned.store(1) }

  private var name: UInt64 { threads.current.rawValue &+ 1 }

  /// A number that tells locks apart.
  private var address: UInt { unsafe UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()) }

  /// The calling thread holds the lock now.
  private func own() {
    owner.storeRelaxed(name)
    noteLockTaken(address)
  }

  private func lockSlowly() throws(PlatformError) {
    precondition(owner.loadRelaxed() != name, "a lock is not recursive")
    var attempt = 0
    while attempt < Self.spins {
      if tryLock() { return }
      do { try threads.backOff(attempt: attempt) } catch {
        abandon()
        throw error
      }
      attempt += 1
    }
    var passedOver = 0
    while true {
      let waiter = Waiter(threads.current, passedOver: passedOver)
      if try enqueueOrLock(waiter) { return }
      if try awaitAnswer(waiter) == Waiter.Answer.granted {
        own()
        return
      }
      if tryLock() { return }
      passedOver += 1
    }
  }

  /// True when the lock was free and is now held; false when the waiter is in the queue.
  private func enqueueOrLock(_ waiter: Waiter) throws(PlatformError) -> Bool {
    let reference = unsafe Unmanaged.passRetained(waiter)
    // The word holds the waiter's address; its reference count keeps the object alive.
    let address = UInt64(UInt(bitPattern: unsafe reference.toOpaque()))
    while true {
      if tryLock() {
        unsafe reference.release()
        return true
      }
      let seen = word.load()
      if seen & Self.held == 0 { continue }
      unsafe waiter.next = Self.newest(seen)
      if word.compareExchange(expected: seen, desired: address | Self.held) { return false }
    }
  }

  private func awaitAnswer(_ waiter: Waiter) throws(PlatformError) -> UInt64 {
    while true {
      let answer = waiter.answer.load()
      if answer != Waiter.Answer.none { return answer }
      noteLockAwaited(address)
      do { try threads.park(until: nil) } catch {
        abandon()
        if waiter.answer.load() == Waiter.Answer.granted {
          own()
          unlock()
        }
        throw error
      }
    }
  }

  private func unlockSlowly() {
    if unsafe ordered == nil {
      // Take all newcomers at once and turn them round: the list runs from the newest.
      var rest = unsafe Self.newest(word.exchange(Self.held))
      while let waiter = unsafe rest {
        unsafe rest = waiter._withUnsafeGuaranteedRef { unsafe $0.next }
        unsafe waiter._withUnsafeGuaranteedRef { unsafe $0.next = ordered }
        unsafe ordered = waiter
      }
    }
    guard let first = unsafe ordered else {
      // Not reached, because the fast path fails only when somebody waits; and right if it were.
      _ = word.fetchAnd(~Self.held)
      return
    }
    let waiter = unsafe first.takeRetainedValue()
    unsafe ordered = waiter.next
    let thread = waiter.thread
    if waiter.passedOver >= Self.patience {
      waiter.answer.store(Waiter.Answer.granted)
    } else {
      _ = word.fetchAnd(~Self.held)
      waiter.answer.store(Waiter.Answer.woken)
    }
    threads.unpark(thread)
  }

  private static func newest(_ word: UInt64) -> Unmanaged<Waiter>? {
    guard let address = unsafe UnsafeRawPointer(bitPattern: UInt(word & ~held)) else { return nil }
    // Put there by `enqueueOrLock`, with a reference that the queue owns.
    return unsafe Unmanaged<Waiter>.fromOpaque(address)
  }

  private static func release(_ list: Unmanaged<Waiter>?) {
    var rest = unsafe list
    while let reference = unsafe rest {
      unsafe rest = reference.takeRetainedValue().next
    }
  }
}
