import Platform

// Threads of the database that sleep without a deadline, because there is nothing for them to do, until
// somebody reserves a piece of the log.
//
// No wake-up is lost: a sleeper says so before it looks whether it may sleep, and a writer reserves
// before it looks for sleepers; all in one order.

/// Who sleeps; at most one thread each.
enum Sleeper: Int, CaseIterable {
  case flush, checkpoint, cleaner

  fileprivate var bit: UInt64 { 1 << UInt64(rawValue) }
}

extension RedoLog {
  /// Of the words of the log: the bits of those who sleep, then the thread of each.
  static let sleeperWords = 1 + Sleeper.allCases.count

  /// Sleeps until `wakeSleepers`, unless `mayRest` says no, and for as long as `goesOn`. Throws only `.killed`.
  func sleep(
    _ sleeper: Sleeper, while goesOn: () -> Bool, ifStill mayRest: () -> Bool
  ) throws(PlatformError) {
    unsafe sleepers[1 + sleeper.rawValue].store(threads.current.rawValue)
    _ = unsafe sleepers[0].fetchOr(sleeper.bit)
    if !mayRest() {
      _ = unsafe sleepers[0].fetchAnd(~sleeper.bit)
      return
    }
    probe("background.slept")
    while unsafe goesOn() && sleepers[0].load() & sleeper.bit != 0 { try threads.park(until: nil) }
  }

  /// Wakes all.
  @inline(never)
  func wakeSleepers() {
    let bits = unsafe sleepers[0].exchange(0)
    for sleeper in Sleeper.allCases where bits & sleeper.bit != 0 {
      threads.unpark(ThreadID(rawValue: unsafe sleepers[1 + sleeper.rawValue].load()))
    }
  }
}
