import CPlatform
import Platform
import Synchronization
import Testing

@Suite(.serialized) struct ThreadTests {
  private let threads = RealThreads()
  private let clock = RealClock()

  @Test func joinWaitsForTheBody() throws {
    let done = AtomicWord(0)
    let ids = try (0..<8).map { _ in
      try threads.spawn("worker") {
        var sum: UInt64 = 0
        for turn in 0..<10_000 as Range<UInt64> { sum &+= turn }
        _ = done.fetchAdd(sum == 49_995_000 ? 1 : 100)
      }
    }
    for id in ids { try threads.join(id) }
    #expect(done.load() == 8)
    for id in ids { try threads.join(id) }
    #expect(Set(ids).count == 8)
  }

  @Test func aThreadKnowsTheNameThatItsStarterGot() throws {
    let seen = AtomicWord(0)
    let id = try threads.spawn("a name longer than Linux takes") {
      seen.store(RealThreads().current.rawValue)
    }
    try threads.join(id)
    #expect(seen.load() == id.rawValue)
    #expect(threads.current == threads.current && threads.current != id)
  }

  @Test func aPermitIsKeptUntilItIsTaken() throws {
    threads.unpark(threads.current)
    threads.unpark(threads.current)
    try threads.park(until: nil)
    // The second was the same permit: only the deadline ends this wait.
    let deadline = clock.now().advanced(byNanoseconds: 2_000_000)
    while clock.now() < deadline { try threads.park(until: deadline) }
    #expect(clock.now() >= deadline)
  }

  @Test func unparkingAnEndedThreadIsHarmless() throws {
    let id = try threads.spawn("short") {}
    try threads.join(id)
    threads.unpark(id)
    threads.unpark(ThreadID(rawValue: 0))
    threads.unpark(ThreadID(rawValue: .max))
    // Its place is taken by a thread of another name, which gets no permit by the old one.
    let next = try threads.spawn("next") {}
    #expect(next != id)
    try threads.join(next)
  }

  @Test func pingPong() throws {
    let turn = AtomicWord(0)
    let me = threads.current
    let other = try threads.spawn("pong") {
      let threads = RealThreads()
      for round in 0..<2_000 as Range<UInt64> {
        while turn.load() != round * 2 + 1 { try? threads.park(until: nil) }
        turn.store(round * 2 + 2)
        threads.unpark(me)
      }
    }
    for round in 0..<2_000 as Range<UInt64> {
      turn.store(round * 2 + 1)
      threads.unpark(other)
      while turn.load() != round * 2 + 2 { try threads.park(until: nil) }
    }
    try threads.join(other)
    #expect(turn.load() == 4_000)
  }

  @Test func slotsAreDistinctAndComeBack() throws {
    let mine = ThreadSlot.current
    #expect(mine >= 0 && mine < ThreadSlot.limit && ThreadSlot.current == mine)
    for _ in 0..<3 {
      let taken = Mutex<[Int]>([])
      let threads = threads
      let latch = Latch(threads: threads, clock: clock)
      let ids = try (0..<40).map { _ in
        try threads.spawn("slot") {
          let slot = ThreadSlot.current
          taken.withLock { $0.append(slot) }
          _ = try? latch.wait()
          #expect(ThreadSlot.current == slot)
        }
      }
      while taken.withLock({ $0.count }) < 40 { try clock.sleep(nanoseconds: 100_000) }
      latch.open()
      for id in ids { try threads.join(id) }
      let slots = taken.withLock { $0 }
      #expect(Set(slots).count == 40 && !slots.contains(mine))
      #expect(slots.allSatisfy { $0 >= 0 && $0 < ThreadSlot.limit })
    }
    // After a hundred and twenty threads the low ones are free again, or they were not given back.
    let late = AtomicWord(.max)
    try threads.join(try threads.spawn("late") { late.store(UInt64(ThreadSlot.current)) })
    #expect(late.load() < 120)
  }

  @Test func theClockAdvances() throws {
    let before = clock.now()
    try clock.sleep(nanoseconds: 1_000_000)
    #expect(clock.now().nanoseconds - before.nanoseconds >= 1_000_000)
    try clock.sleep(nanoseconds: 0)
  }

  @Test func entropyDiffers() {
    let entropy = RealEntropy()
    #expect(Set((0..<100).map { _ in entropy.next() }).count == 100)
  }
}
