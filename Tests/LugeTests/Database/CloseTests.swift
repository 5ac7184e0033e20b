import Platform
import Synchronization
import Testing

@testable import Luge

/// Closing while other threads are inside calls that they began before.
@Suite struct CloseTests {
  /// A checkpoint that was waiting while the last one was made must not walk trees that are freed.
  @Test func aCheckpointThatWaitedForTheLastOneIsRefused() throws {
    let threads = HookedThreads()
    var platform = PlatformServices.inMemory()
    let files = HookedFileSystem(platform.files)
    platform.files = files
    platform.threads = threads
    let clock = platform.clock
    let database = try Database.open(
      at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    try database.defaultTree.updateValue([1], forKey: [1])
    let core = database.core
    let late = Mutex<ThreadID?>(nil)
    let outcome = Mutex("completed")
    files.setHook { call in
      guard call.operation == "sync", call.path.hasSuffix("SUPERBLOCK") else { return nil }
      guard late.withLock({ $0 }) == nil else { return nil }
      // It has seen an open database already, as `Database.checkpoint` does.
      let thread = try? threads.spawn("late") {
        do throws(LugeError) { try core.checkpointer.run() } catch {
          outcome.withLock { $0 = error.code.description }
        }
      }
      late.withLock { $0 = thread }
      try? clock.sleep(nanoseconds: 50_000_000)
      // Whoever wakes it loses the processor.
      threads.setOnUnpark { try? clock.sleep(nanoseconds: 100_000_000) }
      return nil
    }
    try database.close()
    threads.setOnUnpark(nil)
    if let thread = late.withLock({ $0 }) { try threads.join(thread) }
    #expect(outcome.withLock { $0 } == "closed")
  }

  /// The files of the log are closed when no flush is using them any more.
  @Test func closingTheLogWaitsForAFlush() throws {
    var platform = PlatformServices.inMemory()
    let files = HookedFileSystem(try TestFiles.world([]).files)
    platform.files = files
    let clock = platform.clock
    let log = try LogFixture(platform: platform).log
    _ = try LogFixture.commit(log, [1])
    let writes = Mutex(false)
    let synced = Mutex(false)
    files.setHook { call in
      if call.operation == "write", call.offset >= 4096, call.count == 4096 {
        writes.withLock { $0 = true }
        try? clock.sleep(nanoseconds: 100_000_000)
      }
      if call.operation == "sync", writes.withLock({ $0 }) { synced.withLock { $0 = true } }
      return nil
    }
    let thread = try platform.threads.spawn("flush") {
      try? log.flush()
    }
    while !writes.withLock({ $0 }) { try clock.sleep(nanoseconds: 1_000_000) }
    log.close()
    let wasSynced = synced.withLock { $0 }
    try platform.threads.join(thread)
    #expect(wasSynced)
  }
}
