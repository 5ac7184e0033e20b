import Platform

/// The threads of an open database: one flushes every so often, one makes checkpoints when they are
/// due and keeps redo segments ready, so that no flush has to make one, one gives space back, and one
/// evicts pages before those who need the memory have to.
enum BackgroundWorker {
  /// Nanoseconds between looks at whether a checkpoint is due.
  private static let checkpointPoll: UInt64 = 100_000_000
  /// Nanoseconds between looks at whether space is to be given back.
  private static let cleaningPoll: UInt64 = 200_000_000

  static func start(_ core: DatabaseCore) throws(LugeError) -> [ThreadID] {
    guard core.configuration.backgroundWork == .automatic else { return [] }
    do throws(PlatformError) {
      var threads: [ThreadID] = []
      if let interval = core.configuration.flushInterval {
        threads.append(
          try core.platform.threads.spawn("luge.flush") {
            every(interval, core) { () throws(LugeError) in try core.log.flush() }
          })
      }
      threads.append(
        try core.platform.threads.spawn("luge.checkpoint") {
          every(checkpointPoll, core) { () throws(LugeError) in
            try core.performCheckpointWork()
          }
        })
      if core.configuration.cleanerFillTarget > 0 {
        threads.append(
          try core.platform.threads.spawn("luge.clean") {
            every(cleaningPoll, core) { () throws(LugeError) in try core.performCleaningWork() }
          })
      }
      threads.append(
        try core.platform.threads.spawn("luge.evict") {
          core.context.evictAhead { core.isOpen }
        })
      return threads
    } catch {
      core.abandon()
      throw LugeError(error, doing: "starting the database's threads")
    }
  }

  /// Runs `work` each time `interval` nanoseconds have passed, until the database closes, the process
  /// is killed, or the log has failed for good. Other errors (a full disk) are tried again later:
  /// what could not be flushed is still in memory, and a caller's own flush reports it.
  private static func every(
    _ interval: UInt64, _ core: DatabaseCore, _ work: () throws(LugeError) -> Void
  ) {
    while core.isOpen {
      let deadline = core.platform.clock.now().advanced(byNanoseconds: interval)
      while core.isOpen && core.platform.clock.now() < deadline {
        do throws(PlatformError) {
          try core.platform.threads.park(until: deadline)
        } catch { return }
      }
      guard core.isOpen else { return }
      do throws(LugeError) {
        try work()
      } catch {
        if error.code == .killed || error.code == .failed { return }
      }
    }
  }
}
