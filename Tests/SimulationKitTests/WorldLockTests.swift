import Platform
import SimulationKit
import Testing

/// The platform's locks and conditions on simulated threads, killed anywhere.
@Suite struct WorldLockTests {
  private final class Queue: @unchecked Sendable {
    // Unchecked: guarded by `lock`.
    let lock: Lock
    let changed: Condition
    var items: [Int] = []
    var inside = 0
    var taken: [Int] = []

    init(_ platform: Simulation) {
      lock = Lock(threads: platform.threads)
      changed = Condition(threads: platform.threads, clock: platform.clock)
    }
  }

  private func produceAndConsume(_ simulation: Simulation, _ queue: Queue) -> ProcessEnd {
    let total = 30
    return simulation.run {
      simulation.runProcess("main") {
        let produce: @Sendable () -> Void = {
          do throws(PlatformError) {
            for item in 0..<(total / 2) {
              try queue.lock.lock()
              defer { queue.lock.unlock() }
              queue.inside += 1
              #expect(queue.inside == 1)
              defer { queue.inside -= 1 }
              try simulation.enter("produce")
              queue.items.append(item)
              queue.changed.signalOne()
            }
          } catch {
            #expect(error.code == .killed)
          }
        }
        let consume: @Sendable () -> Void = {
          do throws(PlatformError) {
            var more = true
            while more {
              try queue.lock.lock()
              defer { queue.lock.unlock() }
              while queue.items.isEmpty && queue.taken.count < total {
                try queue.changed.wait(queue.lock)
              }
              queue.inside += 1
              #expect(queue.inside == 1)
              defer { queue.inside -= 1 }
              try simulation.enter("consume")
              if !queue.items.isEmpty { queue.taken.append(queue.items.removeFirst()) }
              more = queue.taken.count < total
              if !more { queue.changed.signalAll() }
            }
          } catch {
            #expect(error.code == .killed)
          }
        }
        _ = try? simulation.threads.spawn("producer 1", produce)
        _ = try? simulation.threads.spawn("consumer 1", consume)
        _ = try? simulation.threads.spawn("producer 2", produce)
        _ = try? simulation.threads.spawn("consumer 2", consume)
      }
    }
  }

  @Test func nothingIsLostOrTakenTwice() {
    for seed in UInt64(0)..<100 {
      let simulation = makeSimulation(seed, maximumQuantum: 1 + seed % 6)
      let queue = Queue(simulation)
      #expect(produceAndConsume(simulation, queue) == .finished)
      #expect(queue.taken.sorted() == (0..<30).map { $0 / 2 })
    }
  }

  @Test func aKillAnywhereUnwinds() {
    for seed in UInt64(0)..<3 {
      let whole = makeSimulation(seed, maximumQuantum: 4)
      _ = produceAndConsume(whole, Queue(whole))
      let calls = whole.counters.seamCalls
      #expect(calls > 50)
      for call in 1...calls {
        let simulation = makeSimulation(seed, maximumQuantum: 4)
        simulation.kill(afterSeamCalls: call)
        let end = produceAndConsume(simulation, Queue(simulation))
        #expect(end.isCrash)
        #expect(simulation.counters.abandonedThreads == 0)
      }
    }
  }

  /// The forgotten signal: a consumer sleeps for ever, and the scheduler says who.
  @Test func aLostWakeUpIsADeadlock() {
    var deadlocks = 0
    for seed in UInt64(0)..<20 {
      let simulation = makeSimulation(seed)
      let queue = Queue(simulation)
      let end = simulation.runProcess("main") {
        _ = try! simulation.threads.spawn("consumer") {
          do throws(PlatformError) {
            try queue.lock.lock()
            defer { queue.lock.unlock() }
            while queue.items.isEmpty { try queue.changed.wait(queue.lock) }
          } catch {}
        }
        try? simulation.enter("produce")
        try? queue.lock.withLock { () throws(PlatformError) in queue.items.append(1) }
      }
      if case .deadlock(let threads) = end {
        deadlocks += 1
        #expect(threads.count == 1)
        #expect(threads.first?.hasPrefix("consumer (t2) is parked, since call ") == true)
      }
    }
    // Some schedules produce first; the others are stuck.
    #expect(deadlocks > 0 && deadlocks < 20)
  }
}
