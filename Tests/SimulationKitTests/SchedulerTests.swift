import Platform
import SimulationKit
import Testing

/// A simulation of a seed.
func makeSimulation(
  _ seed: UInt64, maximumQuantum: UInt64 = 8, options: SimulationOptions = SimulationOptions(),
  plan: FaultPlan = FaultPlan()
) -> Simulation {
  let tape = ChoiceTape(driver: SeededDriver(seed: seed))
  return Simulation(
    tape: tape, plan: plan,
    strategy: RandomStrategy(tape: tape, maximumQuantum: maximumQuantum), options: options)
}

/// What several simulated threads share; one runs at a time.
final class Shared<Value>: @unchecked Sendable {
  // Unchecked: simulated threads of one simulation share an operating-system thread.
  var value: Value
  init(_ value: Value) { self.value = value }
}

@Suite struct SchedulerTests {
  /// Three threads that append to a list at every seam call.
  private func interleaving(_ simulation: Simulation) -> [Int] {
    let steps = Shared<[Int]>([])
    let end = simulation.run {
      simulation.runProcess("p") {
        let threads = simulation.threads
        var started: [ThreadID] = []
        for worker in 0..<3 {
          started.append(
            try! threads.spawn("worker \(worker)") {
              for _ in 0..<20 {
                try! simulation.enter("work")
                steps.value.append(worker)
                simulation.record("worked", UInt64(worker), 0, 0)
              }
            })
        }
        for thread in started { try! threads.join(thread) }
        steps.value.append(99)
      }
    }
    #expect(end == .finished)
    return steps.value
  }

  @Test func sameSeedSameRunTwiceInOneProcess() {
    for seed in UInt64(1)...5 {
      let (first, second) = (makeSimulation(seed), makeSimulation(seed))
      let steps = interleaving(first)
      #expect(steps == interleaving(second))
      #expect(steps.count == 61 && steps.last == 99)
      #expect(first.trace.hash == second.trace.hash)
      #expect(first.tape.recorded == second.tape.recorded)
    }
  }

  /// A change of these values means that tapes saved before it mean something else now.
  @Test func theHashOfAKnownRunIsTheSameInEveryBuild() {
    let simulation = makeSimulation(42)
    _ = interleaving(simulation)
    #expect(simulation.trace.hash.description == "d09f07e3786706085c2d1a0aa4b67166")
    #expect(simulation.trace.hash.events == 91)
    #expect(simulation.tape.drawCount == 32)
  }

  @Test func seedsGiveDifferentSchedulesAndReplayGivesTheSame() {
    let first = makeSimulation(1)
    let steps = interleaving(first)
    #expect(steps != interleaving(makeSimulation(2)))
    #expect(first.counters.preemptions > 0)
    let tape = ChoiceTape(driver: ReplayDriver(first.tape.recorded))
    let replayed = Simulation(tape: tape, strategy: RandomStrategy(tape: tape, maximumQuantum: 8))
    #expect(interleaving(replayed) == steps)
    #expect(replayed.trace.hash == first.trace.hash)
  }

  @Test func theZeroTapeNeverPreempts() {
    let tape = ChoiceTape(driver: ReplayDriver([]))
    let simulation = Simulation(tape: tape)
    let steps = interleaving(simulation)
    let expected = [0, 1, 2].flatMap { Array(repeating: $0, count: 20) } + [99]
    #expect(steps == expected)
    #expect(simulation.counters.preemptions == 0)
  }

  @Test func prioritiesFromTheTapeDecide() {
    var seen: [[Int]] = []
    for seed in UInt64(0)..<8 {
      let tape = ChoiceTape(driver: SeededDriver(seed: seed))
      let strategy = PriorityStrategy(tape: tape, changes: 2, meanDistance: 20)
      let simulation = Simulation(tape: tape, strategy: strategy)
      let steps = interleaving(simulation)
      // Two change points and no thread that gives way: at most two preemptions.
      #expect(simulation.counters.preemptions <= 2)
      if !seen.contains(steps) { seen.append(steps) }
    }
    #expect(seen.count > 3)
  }

  /// A thread that is woken runs at the waker's next call, if and only if its priority is higher.
  @Test func aWokenThreadOfHigherPriorityPreempts() {
    for (first, second, expected) in [(1, 2, "wake woken go"), (2, 1, "wake go woken")]
      as [(UInt64, UInt64, String)]
    {
      let priorities = [first, second].map {
        Choice(lane: "schedule", label: "priority", bound: 1 << 16, value: $0)
      }
      let tape = ChoiceTape(driver: ReplayDriver(priorities))
      let strategy = PriorityStrategy(tape: tape, changes: 0)
      let simulation = Simulation(tape: tape, strategy: strategy)
      let words = Shared<[String]>([])
      let end = simulation.runProcess("p") {
        let threads = simulation.threads
        let sleeper = try! threads.spawn("sleeper") {
          try! threads.park(until: nil)
          words.value.append("woken")
        }
        try! simulation.clock.sleep(nanoseconds: 1_000_000)
        words.value.append("wake")
        threads.unpark(sleeper)
        try! simulation.enter("work")
        words.value.append("go")
        try! threads.join(sleeper)
      }
      #expect(end == .finished)
      #expect(words.value.joined(separator: " ") == expected)
    }
  }

  @Test func exhaustiveSearchFindsEveryOrder() {
    let driver = OdometerDriver(depth: 6)
    var orders: [[Int]] = []
    var runs = 0
    repeat {
      let tape = ChoiceTape(driver: driver)
      let simulation = Simulation(
        tape: tape, strategy: RandomStrategy(tape: tape, maximumQuantum: 0))
      let order = Shared<[Int]>([])
      _ = simulation.runProcess("p") {
        for worker in 0..<3 {
          _ = try! simulation.threads.spawn("w") { order.value.append(worker) }
        }
      }
      if !orders.contains(order.value) { orders.append(order.value) }
      runs += 1
    } while driver.advance()
    #expect(orders.count == 6)
    #expect(runs == 6)
  }

  @Test func deadlockIsReportedWithWhoWaits() {
    let simulation = makeSimulation(1)
    let unwound = Shared(0)
    let end = simulation.runProcess("p") {
      let threads = simulation.threads
      let writer = try! threads.spawn("writer") {
        do throws(PlatformError) {
          while true { try threads.park(until: nil) }
        } catch {
          if error.code == .killed { unwound.value += 1 }
        }
      }
      do throws(PlatformError) {
        try threads.join(writer)
      } catch {
        if error.code == .killed { unwound.value += 1 }
      }
    }
    guard case .deadlock(let threads) = end, threads.count == 2 else {
      Issue.record("ended \(end)")
      return
    }
    #expect(threads[0].hasPrefix("p (t1) waits for writer (t2) to end, since call "))
    #expect(threads[1].hasPrefix("writer (t2) is parked, since call "))
    #expect(threads.allSatisfy { $0.hasSuffix(", after its start") })
    #expect(unwound.value == 2)
    #expect(!end.isCrash)
  }

  /// Two locks taken in opposite orders.
  @Test func aDeadlockOfLocksSaysWhoHoldsThem() {
    let simulation = makeSimulation(1)
    let end = simulation.run {
      simulation.runProcess("p") {
        let threads = simulation.threads
        let (one, other) = (Lock(threads: threads), Lock(threads: threads))
        let held = Shared(0)
        func worker(_ name: String, _ first: Lock, _ second: Lock) throws -> ThreadID {
          try threads.spawn(name) {
            do {
              try first.lock()
              probe("test.holds")
              held.value += 1
              while held.value < 2 { try threads.backOff(attempt: 0) }
              try second.lock()
            } catch {}
          }
        }
        let left = try! worker("left", one, other)
        let right = try! worker("right", other, one)
        _ = try? threads.join(left)
        _ = try? threads.join(right)
      }
    }
    guard case .deadlock(let threads) = end, threads.count == 3 else {
      Issue.record("ended \(end)")
      return
    }
    #expect(threads[1].hasPrefix("left (t2) waits for a lock that right (t3) holds, since call "))
    #expect(threads[1].hasSuffix(", after test.holds"))
    #expect(threads[2].hasPrefix("right (t3) waits for a lock that left (t2) holds, since call "))
  }

  /// A trap ends its process, not this one; the threads of the process unwind, and another one can be run.
  @Test func aTrapIsReportedWithWhoAndWhere() {
    let simulation = makeSimulation(1)
    let unwound = Shared(0)
    let limit = Shared(3)
    let end = simulation.run {
      simulation.runProcess("p") {
        let trapping = try! simulation.threads.spawn("trapping") {
          simulation.probe("test.trap")
          for number in 0..<10 { precondition(number < limit.value, "meant to fail") }
        }
        do throws(PlatformError) { try simulation.threads.join(trapping) } catch {
          if error.code == .killed { unwound.value += 1 }
        }
      }
    }
    guard case .trapped(let text) = end else {
      Issue.record("ended \(end)")
      return
    }
    #expect(text.hasPrefix("trapping (t2) trapped (a failed check) at call "))
    #expect(text.hasSuffix(", after test.trap"))
    #expect(unwound.value == 1)
    #expect(!end.isCrash)
    let next = simulation.run { simulation.runProcess("next") { unwound.value += 1 } }
    #expect(next == .finished)
    #expect(unwound.value == 2)
  }

  @Test func livelockIsReported() {
    let simulation = makeSimulation(1, options: SimulationOptions(callLimit: 500))
    let end = simulation.runProcess("p") {
      let spin: @Sendable () -> Void = {
        do throws(PlatformError) {
          var attempt = 0
          while true {
            try simulation.threads.backOff(attempt: attempt)
            attempt += 1
          }
        } catch {}
      }
      _ = try! simulation.threads.spawn("other", spin)
      spin()
    }
    guard case .livelock(let threads) = end else {
      Issue.record("ended \(end)")
      return
    }
    #expect(threads.count == 2)
    #expect(threads.allSatisfy { $0.contains(", and gives way again and again, since call ") })
    #expect(simulation.counters.seamCalls >= 500)
  }

  @Test func timeJumpsWhenAllWait() {
    let simulation = makeSimulation(1)
    let order = Shared<[String]>([])
    let second: UInt64 = 1_000_000_000
    let end = simulation.runProcess("p") {
      let (threads, clock) = (simulation.threads, simulation.clock)
      let start = clock.now()
      let late = try! threads.spawn("late") {
        try! clock.sleep(nanoseconds: 3600 * second)
        order.value.append("late")
      }
      let early = try! threads.spawn("early") {
        try! clock.sleep(nanoseconds: 5 * second)
        order.value.append("early")
        #expect(clock.now() >= start.advanced(byNanoseconds: 5 * second))
        #expect(clock.now() < start.advanced(byNanoseconds: 6 * second))
      }
      try! threads.park(until: start.advanced(byNanoseconds: second))
      order.value.append("deadline")
      try! threads.join(late)
      try! threads.join(early)
      #expect(clock.now() < start.advanced(byNanoseconds: 3601 * second))
    }
    #expect(end == .finished)
    #expect(order.value == ["deadline", "early", "late"])
  }

  @Test func sleepersWakeWhileOthersWork() {
    let simulation = makeSimulation(3)
    let woken = Shared(false)
    _ = simulation.runProcess("p") {
      let timer = try! simulation.threads.spawn("timer") {
        try! simulation.clock.sleep(nanoseconds: 1_000_000)
        woken.value = true
      }
      var calls = 0
      while !woken.value && calls < 1000 {
        try! simulation.enter("work")
        calls += 1
      }
      #expect(woken.value)
      try! simulation.threads.join(timer)
    }
  }

  @Test func aPermitGivenBeforeParkingIsKept() {
    let simulation = makeSimulation(1)
    let end = simulation.runProcess("p") {
      let threads = simulation.threads
      threads.unpark(threads.current)
      threads.unpark(threads.current)
      try! threads.park(until: nil)
      let before = simulation.clock.now()
      try! threads.park(until: before.advanced(byNanoseconds: 1_000_000_000))
      #expect(simulation.clock.now() >= before.advanced(byNanoseconds: 1_000_000_000))
    }
    #expect(end == .finished)
  }

  @Test func unparkWakes() {
    for seed in UInt64(0)..<10 {
      let simulation = makeSimulation(seed)
      let ready = Shared(false)
      let end = simulation.runProcess("p") {
        let threads = simulation.threads
        let main = threads.current
        _ = try! threads.spawn("waker") {
          for _ in 0..<5 { try! simulation.enter("work") }
          ready.value = true
          threads.unpark(main)
        }
        while !ready.value { try! threads.park(until: nil) }
      }
      #expect(end == .finished)
    }
  }

  @Test func eachThreadHasItsOwnSlot() {
    let simulation = makeSimulation(5)
    let outside = ThreadSlot.current
    let end = simulation.runProcess("p") {
      let taken = Shared<[Int]>([ThreadSlot.current])
      var threads: [ThreadID] = []
      for _ in 0..<10 {
        threads.append(
          try! simulation.threads.spawn("t") {
            let mine = ThreadSlot.current
            #expect(!taken.value.contains(mine))
            taken.value.append(mine)
            // Until all are there, so that none has ended before the last begins.
            while taken.value.count < 11 {
              try! simulation.threads.backOff(attempt: 0)
              #expect(ThreadSlot.current == mine)
            }
          })
      }
      for thread in threads { try! simulation.threads.join(thread) }
      #expect(taken.value.sorted() == Array(0...10))
      // Given back, so the next one has one of them again.
      let again = try! simulation.threads.spawn("t") { #expect(ThreadSlot.current == 1) }
      try! simulation.threads.join(again)
    }
    #expect(end == .finished)
    #expect(ThreadSlot.current == outside)
  }

  @Test func tooManyThreadsIsAnError() {
    // Without preemption none of them runs before the first thread ends.
    let simulation = makeSimulation(1, maximumQuantum: 0)
    let end = simulation.runProcess("p") {
      var started = 0
      do throws(PlatformError) {
        while true {
          _ = try simulation.threads.spawn("t") {}
          started += 1
        }
      } catch {
        #expect(error.code == .resourceExhausted)
      }
      #expect(started == 63)
    }
    #expect(end == .finished)
  }
}
