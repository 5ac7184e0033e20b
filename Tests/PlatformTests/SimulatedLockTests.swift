import Platform
import Testing

/// The locks under a scheduler that may switch at each of their steps: many small worlds, each
/// with another order. A lost wake-up shows as a deadlock.
@Suite struct SimulatedLockTests {
  private final class Shared: @unchecked Sendable {
    var inside = 0
    var worst = 0
    var total = 0
    var queue: [Int] = []
    var ends = 0
  }

  private func world(
    seed: Int, killAfter: Int? = nil, threads: Int,
    _ makeBody: (FibreWorld) -> @Sendable (Int) throws -> Void
  ) throws -> FibreWorld.End {
    let world = try #require(FibreWorld(seed: seed, killAfter: killAfter))
    let body = makeBody(world)
    for index in 0..<threads {
      _ = try world.spawn("fibre") { try? body(index) }
    }
    return world.run()
  }

  private func exclusion(
    seed: Int, killAfter: Int? = nil, _ shared: Shared
  ) throws -> FibreWorld.End {
    try world(seed: seed, killAfter: killAfter, threads: 5) { world in
      let lock = Lock(threads: world)
      return { _ in
        defer { shared.ends += 1 }
        for _ in 0..<12 {
          try lock.withLock {
            shared.inside += 1
            shared.worst = max(shared.worst, shared.inside)
            for _ in 0..<3 { world.maybeYield() }
            shared.total += 1
            shared.inside -= 1
          }
          world.maybeYield()
        }
      }
    }
  }

  @Test func onlyOneIsInsideAndAllFinish() throws {
    for seed in 0..<150 {
      let shared = Shared()
      let end = try exclusion(seed: seed, shared)
      #expect(end == .allDone && shared.worst == 1 && shared.total == 60, "seed \(seed)")
    }
  }

  /// A killed process unwinds: nobody hangs, nothing traps, and the lock still excludes.
  @Test func aKillUnwindsEveryone() throws {
    for seed in 0..<150 {
      let shared = Shared()
      let end = try exclusion(seed: seed, killAfter: 20 + seed * 5, shared)
      #expect(end == .allDone && shared.worst <= 1 && shared.ends == 5, "seed \(seed)")
    }
  }

  private func handOver(
    seed: Int, killAfter: Int? = nil, _ shared: Shared
  ) throws -> FibreWorld.End {
    try world(seed: seed, killAfter: killAfter, threads: 5) { world in
      let lock = Lock(threads: world)
      let notEmpty = Condition(threads: world, clock: world)
      let notFull = Condition(threads: world, clock: world)
      return { index in
        defer { shared.ends += 1 }
        for _ in 0..<(index < 2 ? 18 : 12) {
          try lock.lock()
          defer { lock.unlock() }
          if index < 2 {
            while shared.queue.count == 2 { try notFull.wait(lock) }
            shared.queue.append(1)
            notEmpty.signalOne()
          } else {
            while shared.queue.isEmpty {
              // One of the three gives up now and then, and must not take a signal with it.
              let deadline = index == 2 ? world.now().advanced(byNanoseconds: 10) : nil
              try notEmpty.wait(lock, until: deadline)
            }
            shared.total += shared.queue.removeFirst()
            notFull.signalOne()
          }
        }
      }
    }
  }

  @Test func conditionsLoseNothing() throws {
    for seed in 0..<150 {
      let shared = Shared()
      let end = try handOver(seed: seed, shared)
      #expect(end == .allDone && shared.total == 36 && shared.queue.isEmpty, "seed \(seed)")
    }
  }

  @Test func aKillUnwindsConditions() throws {
    for seed in 0..<150 {
      let shared = Shared()
      let end = try handOver(seed: seed, killAfter: 20 + seed * 5, shared)
      #expect(end == .allDone && shared.ends == 5, "seed \(seed)")
    }
  }

  @Test func waitQueueLosesNoWakeUp() throws {
    for seed in 0..<150 {
      let word = AtomicWord(0)
      let end = try world(seed: seed, threads: 4) { world in
        let queue = WaitQueue(threads: world, clock: world)
        return { index in
          for turn in 0..<10 {
            let mine = UInt64(turn * 4 + index)
            try queue.wait { () throws(PlatformError) in
              let blocked = word.load() != mine
              world.maybeYield()
              return blocked
            }
            word.store(mine + 1)
            world.maybeYield()
            queue.signalAll()
          }
        }
      }
      #expect(end == .allDone && word.load() == 40, "seed \(seed)")
    }
  }

  /// Eight threads take one permit each and go; each permit comes with one signal. Nobody may
  /// sleep on beside a permit.
  @Test func oneSignalAPermitIsEnough() throws {
    for seed in 0..<300 {
      let permits = AtomicWord(0)
      let end = try world(seed: seed, threads: 9) { world in
        let queue = WaitQueue(threads: world, clock: world)
        return { index in
          if index == 0 {
            for _ in 0..<8 {
              _ = permits.fetchAdd(1)
              queue.signalOne()
              world.maybeYield()
            }
            return
          }
          while true {
            try queue.wait { () throws(PlatformError) in
              let blocked = permits.load() == 0
              world.maybeYield()
              return blocked
            }
            let seen = permits.load()
            world.maybeYield()
            if seen > 0 && permits.compareExchange(expected: seen, desired: seen - 1) { return }
          }
        }
      }
      #expect(end == .allDone && permits.load() == 0, "seed \(seed)")
    }
  }
}
