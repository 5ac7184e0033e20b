import Platform

/// Who flushes next, and who waits for it.
///
/// One thread leads: it writes and syncs for all that wait. When it has ended, everybody whose commits
/// are durable now is woken, all at once, and the oldest of the others leads the next group. So a commit
/// waits for two syncs at most, and no thread is woken only to fetch a lock and give it to the next.
///
/// Invariants:
/// - `isLed` and `waiting` are guarded by `guardian`, which is held for a few instructions.
/// - Nobody waits while nobody leads: who leads, leaves, whatever becomes of the flush.
final class FlushQueue: @unchecked Sendable {
  private struct Waiter {
    var goal: UInt64
    var turn: FlushTurn
  }

  private let threads: any Threads
  private let guardian: Lock
  private var isLed = false
  private var waiting: [Waiter] = []
  /// How many wait, for a leader that looks before it ends its group.
  private let waitingCount = AtomicWord(0)
  /// How many the last group was for, besides its leader.
  private let followers = AtomicWord(0)

  init(threads: any Threads) {
    self.threads = threads
    guardian = Lock(threads: threads)
  }

  /// How many wait; for tests.
  var waitingNow: Int { Int(waitingCount.load()) }

  /// What came of asking for a flush.
  enum Role {
    /// Flush, and call `leave` afterwards, come what may.
    case leads
    /// Somebody has flushed, or failed to: look again.
    case looksAgain
  }

  /// Takes the lead, or waits for who has it. Throws only `.killed`; then it leads nothing.
  func enter(goal: UInt64) throws(PlatformError) -> Role {
    try guardian.lock()
    if !isLed {
      isLed = true
      guardian.unlock()
      return .leads
    }
    let turn = FlushTurn(threads.current)
    waiting.append(Waiter(goal: goal, turn: turn))
    waitingCount.store(UInt64(waiting.count))
    guardian.unlock()
    while true {
      switch turn.answer.load() {
      case FlushTurn.looksAgain: return .looksAgain
      case FlushTurn.leads: return .leads
      default: try threads.park(until: nil)
      }
    }
  }

  /// Gives others the time to commit who were woken by the last flush: they would wait for the next
  /// one but one. Brief; for the leader, before it ends its group.
  func gather() throws(PlatformError) {
    let expected = followers.load()
    var attempt = FlushQueue.firstYield
    while waitingCount.load() < expected && attempt < FlushQueue.firstYield + Int(expected) {
      try threads.backOff(attempt: attempt)
      attempt += 1
    }
  }

  /// From this attempt on `backOff` gives up the processor, up to `mostYields` times.
  private static let firstYield = 6
  private static let mostYields: UInt64 = 12

  /// Ends the lead. Everything below `durable` is on disk; `failed`: nobody is to wait for more of it.
  func leave(_ isDurable: (UInt64) -> Bool, failed: Bool) {
    // A dead process has nobody left to wake.
    guard (try? guardian.lock()) != nil else { return }
    var woken: [FlushTurn] = []
    var kept: [Waiter] = []
    for entry in waiting {
      if failed || isDurable(entry.goal) { woken.append(entry.turn) } else { kept.append(entry) }
    }
    followers.store(min(UInt64(woken.count), FlushQueue.mostYields))
    var next: FlushTurn?
    if kept.isEmpty { isLed = false } else { next = kept.removeFirst().turn }
    waiting = kept
    waitingCount.store(UInt64(kept.count))
    guardian.unlock()
    // The next leader first: the disk has nothing to do meanwhile.
    next?.answer(FlushTurn.leads, threads)
    for turn in woken { turn.answer(FlushTurn.looksAgain, threads) }
  }
}

/// One thread's wait for a flush.
private final class FlushTurn: Sendable {
  static let none: UInt64 = 0
  static let looksAgain: UInt64 = 1
  static let leads: UInt64 = 2

  private let thread: ThreadID
  let answer = AtomicWord(none)

  init(_ thread: ThreadID) { self.thread = thread }

  /// Permits may come from elsewhere, so the thread looks at the answer.
  func answer(_ answer: UInt64, _ threads: any Threads) {
    let thread = thread
    self.answer.store(answer)
    threads.unpark(thread)
  }
}
