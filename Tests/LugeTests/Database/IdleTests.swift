import Platform
import Synchronization
import Testing

@testable import Luge

/// Time that passes only when a thread waits for a moment: then it is that moment.
private final class JumpingThreads: Threads, Clock {
  private let inner = RealThreads()
  private let time = Mutex<UInt64>(0)
  /// Threads that wait without a deadline.
  private let resting = Mutex(0)
  private let spawns = Mutex(0)
  private let failingSpawn: Int

  init(failingSpawn: Int = .max) { self.failingSpawn = failingSpawn }

  var restingCount: Int { resting.withLock { $0 } }

  func now() -> Instant { Instant(nanoseconds: time.withLock { $0 }) }
  func sleep(nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }

  func spawn(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(PlatformError) -> ThreadID {
    let count = spawns.withLock { count in
      count += 1
      return count
    }
    if count == failingSpawn { throw PlatformError(.resourceExhausted, operation: "spawn") }
    return try inner.spawn(name, body)
  }
  func join(_ thread: ThreadID) throws(PlatformError) { try inner.join(thread) }
  var current: ThreadID { inner.current }
  func park(until deadline: Instant?) throws(PlatformError) {
    guard let deadline else {
      resting.withLock { $0 += 1 }
      defer { resting.withLock { $0 -= 1 } }
      return try inner.park(until: nil)
    }
    time.withLock { $0 = max($0, deadline.nanoseconds) }
    try inner.backOff(attempt: 5)
  }
  func unpark(_ thread: ThreadID) { inner.unpark(thread) }
  func backOff(attempt: Int) throws(PlatformError) { try inner.backOff(attempt: attempt) }

  /// Waits until so many rest.
  func wait(forResting count: Int) throws {
    var attempt = 0
    while restingCount != count {
      try inner.backOff(attempt: min(attempt, 20))
      attempt += 1
      try #require(attempt < 1_000_000)
    }
  }
}

@Suite struct IdleTests {
  private func platform(_ threads: JumpingThreads) -> PlatformServices {
    var platform = PlatformServices.inMemory()
    platform.threads = threads
    platform.clock = threads
    return platform
  }

  @Test func anIdleDatabaseWaitsForNoMoment() throws {
    let threads = JumpingThreads()
    let database = try Database.open(at: "/db", platform: platform(threads))
    try threads.wait(forResting: 5)
    for round in 0..<3 {
      try database.defaultTree.setValue([UInt8(round)], forKey: [1])
      // Woken, the flush thread flushes in its time, the others find nothing and rest again.
      while !database.core.log.hasFlushedAll { try threads.backOff(attempt: 5) }
      try threads.wait(forResting: 5)
    }
    try database.close()
    #expect(threads.restingCount == 0)
  }

  @Test func whoeverSleepsIsWokenByAReservation() throws {
    let fixture = try LogFixture()
    let log = fixture.log
    let threads = fixture.platform.threads
    for _ in 0..<20 {
      let thread = try threads.spawn("sleeper") {
        try? log.sleep(.flush, while: { true }, ifStill: { true })
      }
      while unsafe log.sleepers[0].load() == 0 { try threads.backOff(attempt: 5) }
      _ = try fixture.commit([1])
      try threads.join(thread)
    }
  }

  @Test func whoeverHasSomethingToDoDoesNotSleep() throws {
    let log = try LogFixture().log
    try log.sleep(.cleaner, while: { true }, ifStill: { false })
    #expect(unsafe log.sleepers[0].load() == 0)
  }

  /// The threads that were started before hold the database and its lock.
  @Test(arguments: [1, 2, 3, 4, 5])
  func aThreadThatCannotBeStartedLeavesNothingBehind(spawn: Int) throws {
    let threads = JumpingThreads(failingSpawn: spawn)
    let platform = platform(threads)
    #expect {
      _ = try Database.open(at: "/db", platform: platform)
    } throws: { error in
      (error as? LugeError)?.underlying?.code == .resourceExhausted
    }
    #expect(threads.restingCount == 0)
    let database = try Database.open(at: "/db", platform: platform)
    try database.close()
  }
}
