import Platform
import Synchronization
import Testing

/// Plain memory that only the lock under test guards.
private final class Guarded: @unchecked Sendable {
  var value = 0
  var inside = 0
  var queue: [Int] = []
  var worst = 0
}

@Suite(.serialized) struct LockTests {
  private let threads = RealThreads()
  private let clock = RealClock()

  private func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failures = AtomicWord(0)
    let ids = try (0..<count).map { index in
      try threads.spawn("stress \(index)") {
        do { try body(index) } catch { _ = failures.fetchAdd(1) }
      }
    }
    for id in ids { try threads.join(id) }
    #expect(failures.load() == 0)
  }

  @Test func onlyOneIsInside() throws {
    let lock = Lock(threads: threads)
    let guarded = Guarded()
    let threads = threads
    try runThreads(6) { index in
      for turn in 0..<4_000 {
        try lock.lock()
        guarded.inside += 1
        guarded.worst = max(guarded.worst, guarded.inside)
        guarded.value += 1
        // Now and then hold it long enough for the others to go to sleep.
        if (turn + index) % 512 == 0 { try threads.backOff(attempt: 22) }
        guarded.inside -= 1
        lock.unlock()
      }
    }
    #expect(guarded.value == 24_000 && guarded.worst == 1)
    #expect(lock.tryLock())
    lock.unlock()
  }

  @Test func tryLockNeverWaits() throws {
    let lock = Lock(threads: threads)
    try lock.lock()
    #expect(lock.isHeldByCaller)
    let taken = AtomicWord(0)
    try runThreads(1) { _ in
      if lock.tryLock() { taken.store(1) }
      if lock.isHeldByCaller { taken.store(2) }
    }
    #expect(taken.load() == 0)
    lock.unlock()
    #expect(lock.tryLock() && !lock.tryLock())
    lock.unlock()
  }

  @Test func withLockGivesBackOnErrors() throws {
    let lock = Lock(threads: threads)
    #expect(throws: PlatformError.self) {
      try lock.withLock { () throws(PlatformError) in
        throw PlatformError(.other, operation: "test")
      }
    }
    #expect(try lock.withLock { 7 } == 7)
  }

  @Test func conditionHandsItemsOver() throws {
    let lock = Lock(threads: threads)
    let notEmpty = Condition(threads: threads, clock: clock)
    let notFull = Condition(threads: threads, clock: clock)
    let guarded = Guarded()
    let sum = AtomicWord(0)
    try runThreads(6) { index in
      for turn in 0..<2_000 {
        try lock.lock()
        defer { lock.unlock() }
        if index < 3 {
          while guarded.queue.count >= 4 { try notFull.wait(lock) }
          guarded.queue.append(index * 2_000 + turn)
          notEmpty.signalOne()
        } else {
          while guarded.queue.isEmpty { try notEmpty.wait(lock) }
          _ = sum.fetchAdd(UInt64(guarded.queue.removeFirst()))
          notFull.signalOne()
        }
      }
    }
    #expect(sum.load() == 5_999 * 6_000 / 2 && guarded.queue.isEmpty)
  }

  @Test func aDeadlineEndsTheWait() throws {
    let lock = Lock(threads: threads)
    let condition = Condition(threads: threads, clock: clock)
    try lock.lock()
    let deadline = clock.now().advanced(byNanoseconds: 2_000_000)
    #expect(try !condition.wait(lock, until: deadline))
    #expect(clock.now() >= deadline && lock.isHeldByCaller)
    lock.unlock()
    let queue = WaitQueue(threads: threads, clock: clock)
    let end = clock.now().advanced(byNanoseconds: 2_000_000)
    #expect(try !queue.wait(until: end) { true })
    #expect(clock.now() >= end)
    #expect(try queue.wait(until: end) { false })
  }

  @Test func waitQueueLosesNoWakeUp() throws {
    let queue = WaitQueue(threads: threads, clock: clock)
    let word = AtomicWord(0)
    // Each thread waits for its turn and passes it on: one lost wake-up and the ring stands still.
    try runThreads(5) { index in
      for turn in 0..<1_000 {
        let mine = UInt64(turn * 5 + index)
        try queue.wait { () throws(PlatformError) in word.load() != mine }
        word.store(mine + 1)
        queue.signalAll()
      }
    }
    #expect(word.load() == 5_000)
  }

  @Test func signalOneWakesOneThatStillWaits() throws {
    let queue = WaitQueue(threads: threads, clock: clock)
    let permits = AtomicWord(0)
    let clock = clock
    // Permits are given one signal each; waiters with short deadlines come and go among them.
    try runThreads(6) { index in
      if index == 0 {
        for _ in 0..<3_000 {
          _ = permits.fetchAdd(1)
          queue.signalOne()
        }
        return
      }
      var taken = 0
      while taken < 600 {
        let deadline = index < 3 ? clock.now().advanced(byNanoseconds: 20_000) : nil
        try queue.wait(until: deadline) { () throws(PlatformError) in permits.load() == 0 }
        let seen = permits.load()
        if seen > 0 && permits.compareExchange(expected: seen, desired: seen - 1) { taken += 1 }
      }
    }
    #expect(permits.load() == 0)
  }

  @Test func latchOpensForAll() throws {
    let latch = Latch(threads: threads, clock: clock)
    #expect(try !latch.wait(until: clock.now().advanced(byNanoseconds: 1_000_000)))
    let passed = AtomicWord(0)
    let threads = threads
    try runThreads(5) { index in
      if index == 0 {
        try threads.backOff(attempt: 25)
        latch.open()
      } else if try latch.wait() {
        _ = passed.fetchAdd(1)
      }
    }
    #expect(passed.load() == 4 && latch.isOpen)
  }
}
