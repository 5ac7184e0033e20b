import Platform
import Synchronization
import Testing

@testable import Luge

/// Time that passes when a test says so.
private final class HandClock: Clock {
  private let time = Mutex<UInt64>(1)

  func now() -> Instant { Instant(nanoseconds: time.withLock { $0 }) }
  func sleep(nanoseconds: UInt64) { time.withLock { $0 += nanoseconds } }
}

/// Ids, and how often the disk is waited for on their account.
@Suite struct IdentifierTests {
  private static let portion: UInt64 = 1000

  /// A sequence with a log of its own.
  private struct World {
    let clock = HandClock()
    let fixture: LogFixture
    let ids: IdentifierSequence

    init() throws {
      var platform = try TestFiles.world([])
      platform.clock = clock
      fixture = try LogFixture(platform: platform)
      ids = IdentifierSequence(
        firstUnused: 0, reservation: IdentifierTests.portion, log: fixture.log, platform: platform)
    }

    /// Groups written so far: two a portion, a block each.
    var groups: UInt64 { (fixture.log.durable - fixture.log.start) / 4096 }

    func take(_ count: UInt64) throws {
      let first = try ids.nextID()
      for number in 1..<count { #expect(try ids.nextID() == first + number) }
    }
  }

  @Test func thePortionAfterThisIsReservedWhenHalfOfItIsUsed() throws {
    let world = try World()
    try world.take(500)
    #expect(world.groups == 2)
    #expect(!world.ids.isWished)
    try world.take(1)
    #expect(world.ids.isWished)
    // Long enough after the last: no reason for more.
    world.clock.sleep(nanoseconds: IdentifierSequence.leastLife)
    try world.ids.reserveAhead()
    #expect(!world.ids.isWished)
    #expect(world.groups == 4)
    try world.take(999)
    #expect(world.groups == 4, "nobody waited at the end of the first portion")
    #expect(!world.ids.isWished)
    try world.take(1)
    #expect(world.ids.isWished)
    try world.take(499)
    #expect(world.groups == 4)
    try world.take(1)
    #expect(world.groups == 6, "nobody reserved ahead")
    // Too late: the one that could not wait has done it.
    try world.ids.reserveAhead()
    #expect(world.groups == 6)
    #expect(!world.ids.isWished)
  }

  @Test func nothingIsReservedUnlessItIsWished() throws {
    let world = try World()
    try world.ids.reserveAhead()
    #expect(world.groups == 0)
    try world.take(1)
    try world.ids.reserveAhead()
    #expect(world.groups == 2)
  }

  @Test func portionsGrowWhileIdsAreUsedUpFast() throws {
    let world = try World()
    try world.take((1 + 16 + 64 + 64) * Self.portion)
    #expect(world.groups == 8)
    #expect(world.ids.reservedThrough == 145 * Self.portion, "never more than 64 times as many")
    for left in [16, 4, 1, 1] as [UInt64] {
      world.clock.sleep(nanoseconds: 4 * IdentifierSequence.leastLife)
      let before = world.ids.reservedThrough
      try world.take(1)
      #expect(world.ids.reservedThrough == before + left * Self.portion, "they shrink again")
      try world.take(left * Self.portion - 1)
    }
  }

  /// On a slow disk a portion lasts long because it is waited for: that says nothing of how fast it is used up.
  @Test func waitingForTheDiskIsNoReasonForSmallPortions() throws {
    let world = try World()
    try world.take(Self.portion)
    // Less than four times as long: but whoever comes next has to wait.
    world.clock.sleep(nanoseconds: 2 * IdentifierSequence.leastLife)
    try world.take(1)
    #expect(world.ids.reservedThrough == 17 * Self.portion)
  }

  @Test func noMoreIsReservedThanWhatMayBeSkipped() throws {
    let world = try World()
    var taken: UInt64 = 0
    for round in 0..<200 {
      let count = UInt64(round % 7) * 700 + 1
      try world.take(count)
      taken += count
      if round % 3 != 0 { try world.ids.reserveAhead() }
      if round % 50 == 0 { world.clock.sleep(nanoseconds: 4 * IdentifierSequence.leastLife) }
      #expect(world.ids.reservedThrough >= taken)
      #expect(world.ids.reservedThrough - taken <= 96 * Self.portion)
    }
  }

  @Test func idsReservedAheadDoNotComeBack() throws {
    let platform = PlatformServices.inMemory()
    var configuration = DatabaseTests.manual()
    configuration.identifierReservation = 16
    var last: UInt64 = 0
    for round in 0..<5 {
      // Not closed, as in a process that dies.
      let database = try Database.open(at: "/db", configuration: configuration, platform: platform)
      for number in 0..<100 * (round + 1) {
        let id = try database.nextID()
        #expect(id > last || (round == 0 && number == 0))
        #expect(number > 0 || id <= last + 96 * 16)
        last = id
        if number % 7 == round { try database.performBackgroundWork() }
        if number % 31 == round { try database.checkpoint() }
      }
    }
  }

  /// The thread that flushes does it, though nothing is written.
  @Test func idsAreReservedAheadInTheBackground() throws {
    var configuration = Configuration()
    configuration.identifierReservation = 1 << 14
    let database = try Database.open(
      at: "/db", configuration: configuration, platform: .inMemory())
    let words = database.core.identifiers.words
    var id: UInt64 = 0
    while id < 1 << 13 { id = try database.nextID() }
    let threads = database.core.platform.threads
    var attempt = 0
    while words.end == 1 << 14, attempt < 1_000_000 {
      try threads.backOff(attempt: min(attempt, 20))
      attempt += 1
    }
    #expect(words.end > 1 << 14)
    try database.close()
  }

  @Test func theLastIdIsNotPassed() throws {
    let platform = try TestFiles.world([])
    let fixture = try LogFixture(platform: platform)
    let ids = IdentifierSequence(
      firstUnused: .max - 2000, reservation: Self.portion, log: fixture.log, platform: platform)
    var last: UInt64 = 0
    #expect(throws: LugeError.self) {
      while true {
        let id = try ids.nextID()
        if id < last { return }
        last = id
        try ids.reserveAhead()
      }
    }
    #expect(last >= .max - 2000 && last < .max)
  }
}
