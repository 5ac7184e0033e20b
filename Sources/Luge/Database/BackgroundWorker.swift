import Platform

/// The threads of an open database: one flushes every so often, one makes checkpoints when they are
/// due and keeps redo segments ready, so that no flush has to make one, one gives space back, and two
/// evict pages before those who need the memory have to.
///
/// They look at regular intervals while something happens. When nothing does they sleep without a deadline, and
/// the next write wakes them: an idle database wakes up for nothing.
enum BackgroundWorker {
  /// Nanoseconds between looks at whether a checkpoint is due.
  private static let checkpointPoll: UInt64 = 100_000_000
  /// Nanoseconds between looks at whether space is to be given back.
  private static let cleaningPoll: UInt64 = 200_000_000
  /// Nanoseconds between tries to flush to a full disk, unless the interval is longer.
  private static let longestPause: UInt64 = 1_000_000_000
  /// Looks in a row at which nothing had happened, after which a thread goes to sleep.
  private static let quietLooks = 5

  /// Starts them. When one cannot be started the others end, and it throws.
  static func start(_ core: DatabaseCore) throws(LugeError) -> [ThreadID] {
    guard core.configuration.backgroundWork == .automatic else { return [] }
    var threads: [ThreadID] = []
    do throws(PlatformError) {
      if let interval = core.configuration.flushInterval {
        threads.append(
          try core.platform.threads.spawn("luge.flush") { flush(interval, core) })
      }
      threads.append(
        try core.platform.threads.spawn("luge.checkpoint") {
          work(.checkpoint, checkpointPoll, core) { () throws(LugeError) in
            try core.performCheckpointWork()
          }
        })
      if core.configuration.cleanerFillTarget > 0 {
        threads.append(
          try core.platform.threads.spawn("luge.clean") {
            work(.cleaner, cleaningPoll, core) { () throws(LugeError) in
              try core.performCleaningWork()
            }
          })
      }
      threads.append(
        try core.platform.threads.spawn("luge.evict") {
          core.context.evictAhead(core.context.evictor) { core.isOpen }
        })
      threads.append(
        try core.platform.threads.spawn("luge.evict2") {
          core.context.evictAhead(core.context.secondEvictor) { core.isOpen }
        })
      return threads
    } catch {
      core.abandon()
      // They hold the core, whose end frees memory and gives the directory's lock back.
      for thread in threads {
        core.platform.threads.unpark(thread)
        try? core.platform.threads.join(thread)
      }
      throw LugeError(error, doing: "starting the database's threads")
    }
  }

  /// Flushes `interval` nanoseconds after something was written, or when it is asked to, and sleeps until then.
  /// Reserves ids when it is asked to.
  ///
  /// While the disk is full it tries less and less often: each try makes a file and removes it.
  private static func flush(_ interval: UInt64, _ core: DatabaseCore) {
    let log = core.log
    log.becomeFlusher()
    var pause = interval
    while core.isOpen {
      let isFull = pause > interval
      do throws(PlatformError) {
        try log.sleep(
          .flush, while: { core.isOpen },
          ifStill: { log.hasFlushedAll && !core.identifiers.isWished })
        try wait(pause, core, orWhen: { !isFull && isFlushWished(core) })
      } catch { return }
      guard core.isOpen else { return }
      if isFinal({ () throws(LugeError) in try core.identifiers.reserveAhead() }) { return }
      do throws(LugeError) {
        try log.flush()
        pause = interval
      } catch {
        if error.code == .killed || error.code == .failed { return }
        // What could not be flushed is still in memory, and a caller's own flush reports it.
        if error.code == .noSpace {
          pause = min(max(pause, 1) * 2, max(interval * 2, longestPause))
        }
      }
    }
  }

  private static func isFlushWished(_ core: DatabaseCore) -> Bool {
    core.identifiers.isWished || core.log.takeFlushWish()
  }

  /// Works at intervals for as long as something is written, and a little longer. `body` says whether it
  /// did anything.
  private static func work(
    _ worker: Sleeper, _ interval: UInt64, _ core: DatabaseCore,
    _ body: () throws(LugeError) -> Bool
  ) {
    let log = core.log
    var quiet = 0
    while core.isOpen {
      let seen = log.sequentialTail
      do throws(PlatformError) {
        if quiet >= quietLooks {
          quiet = 0
          try log.sleep(
            worker, while: { core.isOpen }, ifStill: { log.sequentialTail == seen })
        }
        try wait(interval, core)
      } catch { return }
      guard core.isOpen else { return }
      var didSomething = false
      if isFinal({ () throws(LugeError) in didSomething = try body() }) { return }
      quiet = didSomething || log.sequentialTail != seen ? 0 : quiet + 1
    }
  }

  private static func wait(
    _ interval: UInt64, _ core: DatabaseCore, orWhen isWanted: () -> Bool = { false }
  ) throws(PlatformError) {
    let deadline = core.platform.clock.now().advanced(byNanoseconds: interval)
    while core.isOpen && !isWanted() && core.platform.clock.now() < deadline {
      try core.platform.threads.park(until: deadline)
    }
  }

  /// Whether the process was killed, or the log has failed for good. Other errors (a full disk) are met again later:
  /// what could not be flushed is still in memory, and a caller's own flush reports it.
  private static func isFinal(_ work: () throws(LugeError) -> Void) -> Bool {
    do throws(LugeError) {
      try work()
      return false
    } catch {
      return error.code == .killed || error.code == .failed
    }
  }
}
