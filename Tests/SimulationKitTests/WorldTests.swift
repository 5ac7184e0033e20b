import EngineKit
import HistoryKit
import Platform
import SimulationKit
import Testing

@Suite struct WorldTests {
  /// A process of three threads in every kind of waiting, and one at work. Counts who unwound.
  private func busyProcess(
    _ simulation: Simulation, _ unwound: Shared<[String]>, killAfterAllBegan calls: UInt64? = nil
  ) -> ProcessEnd {
    let begun = Shared(0)
    return simulation.run {
      simulation.runProcess("main") {
        let (threads, clock) = (simulation.threads, simulation.clock)
        @Sendable func until(_ name: String, _ body: () throws(PlatformError) -> Void) {
          begun.value += 1
          do throws(PlatformError) {
            while true { try body() }
          } catch {
            if error.code == .killed { unwound.value.append(name) }
          }
        }
        do throws(PlatformError) {
          let parked = try threads.spawn("parked") {
            until("parked") { () throws(PlatformError) in try threads.park(until: nil) }
          }
          _ = try threads.spawn("sleeping") {
            until("sleeping") { () throws(PlatformError) in
              try clock.sleep(nanoseconds: 1 << 40)
            }
          }
          _ = try threads.spawn("joining") {
            until("joining") { () throws(PlatformError) in try threads.join(parked) }
          }
          _ = try threads.spawn("working") {
            until("working") { () throws(PlatformError) in
              try simulation.enter("work")
              simulation.record("worked", simulation.draw("what", below: 10), 0, 0)
              try threads.backOff(attempt: 0)
            }
          }
          if let calls {
            while begun.value < 4 { try threads.backOff(attempt: 0) }
            simulation.kill(afterSeamCalls: calls)
          }
          try threads.join(parked)
        } catch {
          if error.code == .killed { unwound.value.append("main") }
        }
      }
    }
  }

  @Test func aKillUnwindsEveryThread() {
    for seed in UInt64(0)..<20 {
      let simulation = makeSimulation(seed)
      let unwound = Shared<[String]>([])
      let end = busyProcess(simulation, unwound, killAfterAllBegan: 10 + seed)
      guard case .killed(.processKill, _) = end else {
        Issue.record("ended \(end)")
        return
      }
      #expect(unwound.value.sorted() == ["joining", "main", "parked", "sleeping", "working"])
      #expect(simulation.counters.abandonedThreads == 0)
      #expect(simulation.counters[.processKill] == 1)
      #expect(simulation.counters.crashes == 1)
    }
  }

  @Test func theKillStrikesAtTheVeryCallThatWasArmed() {
    for calls in UInt64(1)...6 {
      let simulation = makeSimulation(1)
      simulation.kill(afterSeamCalls: calls, .powerLoss)
      let done = Shared<UInt64>(0)
      let end = simulation.runProcess("p") {
        do throws(PlatformError) {
          while true {
            try simulation.enter("write")
            done.value += 1
          }
        } catch {}
      }
      #expect(end == .killed(.powerLoss, at: "write"))
      #expect(done.value == calls - 1)
      #expect(simulation.counters[.powerLoss] == 1)
    }
  }

  @Test func everyKillPointOfARunIsReachable() {
    // However early or late the kill: all threads unwind, and the trace does not go on after it.
    for calls in UInt64(1)...80 {
      let simulation = makeSimulation(4)
      let unwound = Shared<[String]>([])
      simulation.kill(afterSeamCalls: calls)
      let end = busyProcess(simulation, unwound)
      #expect(end.isCrash)
      #expect(simulation.counters.abandonedThreads == 0)
      let last = simulation.trace.blackBox(3).map(\.name.description)
      #expect(last.first == "process dies" && last.last == "process end")
    }
  }

  @Test func nothingIsDrawnOrTracedAfterAKill() {
    let simulation = makeSimulation(1)
    let after = Shared<(draws: Int, events: UInt64)>((0, 0))
    let end = simulation.run {
      simulation.runProcess("p") {
        simulation.killNow()
        after.value = (simulation.tape.drawCount, simulation.trace.hash.events)
        simulation.record("nothing", 1, 2, 3)
        #expect(simulation.draw("nothing", below: 100) == 0)
        simulation.count(.bitRot)
        probe("nothing")
        #expect(throws: PlatformError.self) { try faultPoint("nothing") }
        #expect(throws: PlatformError.self) { try simulation.enter("nothing") }
        #expect(throws: PlatformError.self) { try simulation.threads.park(until: nil) }
        #expect(throws: PlatformError.self) { try simulation.threads.backOff(attempt: 0) }
        #expect(throws: PlatformError.self) { try simulation.clock.sleep(nanoseconds: 1) }
        #expect(throws: PlatformError.self) { _ = try simulation.threads.spawn("t") {} }
        #expect(simulation.tape.drawCount == after.value.draws)
        #expect(simulation.trace.hash.events == after.value.events)
      }
    }
    #expect(end == .killed(.processKill, at: "killNow"))
    #expect(simulation.counters[.bitRot] == 0)
    #expect(simulation.counters.probes.isEmpty)
    #expect(simulation.counters.faultPointHits.isEmpty)
  }

  @Test func threadsThatDoNotUnwindAreAbandoned() {
    let simulation = makeSimulation(1)
    let good = Shared(false)
    let end = simulation.runProcess("p") {
      _ = try! simulation.threads.spawn("stubborn") {
        // Bounded only because the compiler's optimizer hangs on an endless loop here.
        var tries = 0
        while tries < 1_000_000 {
          tries += 1
          try? simulation.threads.park(until: nil)
        }
      }
      try? simulation.threads.backOff(attempt: 0)
      simulation.killNow(.powerLoss)
      do { try simulation.enter("x") } catch { good.value = true }
    }
    #expect(end == .killed(.powerLoss, at: "killNow"))
    #expect(good.value)
    #expect(simulation.counters.abandonedThreads == 1)
    // The world goes on.
    #expect(simulation.runProcess("next") { try! simulation.enter("x") } == .finished)
  }

  @Test func processesFollowOneAnother() {
    let simulation = makeSimulation(2)
    var ends: [ProcessEnd] = []
    for round in 0..<50 {
      simulation.kill(afterSeamCalls: UInt64(10 + round))
      ends.append(busyProcess(simulation, Shared([])))
    }
    #expect(ends.allSatisfy { $0.isCrash })
    #expect(simulation.counters.processes == 50)
    #expect(simulation.counters.crashes == 50)
    simulation.kill(afterSeamCalls: 10)
    #expect(simulation.runProcess("short") {} == .finished)
    // The kill that did not come is not left over.
    #expect(
      simulation.runProcess("p") { for _ in 0..<20 { try! simulation.enter("x") } } == .finished)
  }

  @Test func theWorldOutsideIsUntouched() {
    let simulation = makeSimulation(1, plan: plan([.readError: 1]))
    simulation.kill(afterSeamCalls: 1)
    #expect(throws: Never.self) { try simulation.enter("outside") }
    #expect(!simulation.strikes(.readError))
    #expect(simulation.draw("sector", below: 4) < 4)
    simulation.count(.tornWrite)
    #expect(simulation.counters[.tornWrite] == 1)
    #expect(simulation.threads.current == ThreadID(rawValue: 0))
    #expect(simulation.counters.seamCalls == 0)
  }

  // MARK: Faults

  private func plan(_ classes: [FaultClass: UInt64]) -> FaultPlan {
    var plan = FaultPlan()
    for fault in FaultClass.allCases { plan[fault] = classes[fault] ?? 0 }
    return plan
  }

  @Test func faultsStrikeAsOftenAsPlanned() {
    var strikes = 0
    for seed in UInt64(0)..<50 {
      let simulation = makeSimulation(seed, plan: plan([.readError: 20]))
      _ = simulation.runProcess("p") {
        for _ in 0..<200 {
          if simulation.strikes(.readError) { strikes += 1 }
          #expect(!simulation.strikes(.writeError))
        }
      }
      #expect(simulation.tape.recorded.allSatisfy { $0.lane == "fault.readError" })
    }
    // 10 a run, a little fewer for the draws that say "never again".
    #expect((300...600).contains(strikes))
    let always = makeSimulation(1, plan: plan([.shortRead: 1]))
    _ = always.runProcess("p") { for _ in 0..<9 { #expect(always.strikes(.shortRead)) } }
    #expect(always.counters[.shortRead] == 9)
    #expect(always.tape.drawCount == 0)
  }

  @Test func suspendedFaultsDoNotStrike() {
    let simulation = makeSimulation(1, plan: plan([.shortRead: 1]))
    simulation.faultsAreSuspended = true
    _ = simulation.runProcess("p") { #expect(!simulation.strikes(.shortRead)) }
    simulation.faultsAreSuspended = false
    _ = simulation.runProcess("p") { #expect(simulation.strikes(.shortRead)) }
  }

  @Test func faultPointsAnswerAsPlanned() {
    var (errors, kills, delays) = (0, 0, 0)
    for seed in UInt64(0)..<60 {
      var plan = plan([.faultPointError: 1, .faultPointKill: 1, .faultPointDelay: 1])
      plan.setPoint("log.seal", oneIn: 4)
      let simulation = makeSimulation(seed, plan: plan)
      let end = simulation.run {
        simulation.runProcess("p") {
          do throws(PlatformError) {
            for _ in 0..<20 {
              do throws(PlatformError) {
                try faultPoint("log.seal")
                try faultPoint("log.off")
              } catch  where error.code == .faultPoint {
                #expect(error.operation == "log.seal")
              }
            }
          } catch {
            #expect(error.code == .killed)
          }
        }
      }
      let counters = simulation.counters
      errors += counters[.faultPointError]
      delays += counters[.faultPointDelay]
      kills += counters[.faultPointKill]
      if counters[.faultPointKill] == 1 { #expect(end == .killedByFaultPoint("log.seal")) }
      let fired =
        counters[.faultPointError] + counters[.faultPointDelay] + counters[.faultPointKill]
      #expect((counters.faultPointsFired.first?.count ?? 0) == fired)
      #expect(counters.faultPointHits.map(\.name).contains("log.seal"))
    }
    #expect(errors > 10 && delays > 10 && kills > 10)
  }

  @Test func probesAreCountedByTheirText() {
    let simulation = makeSimulation(1)
    simulation.run {
      _ = simulation.runProcess("p") {
        for _ in 0..<3 { probe("tree.split") }
        probe("log.seal")
        probe("tree.split")
      }
    }
    let counters = simulation.counters
    #expect(counters.probes.map(\.name) == ["log.seal", "tree.split"])
    #expect(counters.probes.map(\.count) == [1, 4])
  }

  @Test func entropyIsUniqueUnderEveryTape() {
    let simulation = Simulation(tape: ChoiceTape(driver: ReplayDriver([])))
    let first = simulation.entropy.next()
    #expect(first != simulation.entropy.next())
    #expect(simulation.tape.drawCount == 1)
    #expect(makeSimulation(1).entropy.next() == makeSimulation(1).entropy.next())
    #expect(makeSimulation(1).entropy.next() != makeSimulation(2).entropy.next())
  }

  // MARK: Traces

  @Test func theFirstDifferenceIsFound() {
    let options = SimulationOptions(keepsAllEvents: true)
    let (first, second) = (makeSimulation(1, options: options), makeSimulation(1, options: options))
    for simulation in [first, second] {
      simulation.kill(afterSeamCalls: 100)
      _ = busyProcess(simulation, Shared([]))
    }
    #expect(TraceRecorder.firstDifference(between: first.trace, second.trace) == nil)
    first.record("end", 1, 2, 3)
    second.record("end", 1, 2, 4)
    let difference = TraceRecorder.firstDifference(between: first.trace, second.trace)
    #expect(difference?.index == Int(first.trace.hash.events) - 1)
    #expect(difference?.first?.c == 3 && difference?.second?.c == 4)
    #expect(first.trace.hash != second.trace.hash)
  }

  @Test func theBlackBoxKeepsTheLastEvents() {
    let trace = TraceRecorder(lastEvents: 4)
    for index in UInt64(0)..<10 { trace.record("e", thread: 1, index) }
    #expect(trace.events.map(\.a) == [6, 7, 8, 9])
    #expect(trace.blackBox(2).map(\.a) == [8, 9])
    #expect(trace.hash.events == 10)
  }

  @Test func hashesDependOnOrderNameAndThread() {
    func hash(_ events: [(StaticString, UInt64, UInt64)]) -> TraceHash {
      let trace = TraceRecorder()
      for (name, thread, word) in events { trace.record(name, thread: thread, word) }
      return trace.hash
    }
    let base = hash([("a", 1, 1), ("b", 1, 2)])
    #expect(base == hash([("a", 1, 1), ("b", 1, 2)]))
    #expect(base != hash([("b", 1, 2), ("a", 1, 1)]))
    #expect(base != hash([("a", 2, 1), ("b", 1, 2)]))
    #expect(base != hash([("c", 1, 1), ("b", 1, 2)]))
    #expect(base.description.utf8.count == 32)
    // The same in every build: a change of this value makes old tapes' hashes worthless.
    #expect(TraceHash().description == String(repeating: "0", count: 32))
  }
}
