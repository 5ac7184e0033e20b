internal import EngineKit
internal import HistoryKit
internal import Platform

/// One call of a round: what was asked, what was answered, and when.
struct ProgramCall {
  var thread: Int
  var operation: Operation
  var invoked: Int
  /// `.max` until it returns.
  var returned = Int.max
  /// Nil until it returns, and where its outcome is unknown.
  var outcome: Outcome?
}

/// The threads of one round.
extension InterleavingRun {
  /// Lets the threads of this round run, and judges what they saw. Throws where the main thread's own
  /// calls fail.
  func playRound(_ engine: any KeyValueEngine, _ threads: any Threads) throws(EngineError) {
    calls = []
    events = 0
    let programs: [[Operation]]
    if let pair = scenario.pair {
      // How many times each: a shrinker takes calls away, an exploration asks for all of them.
      let lane = tape.lane("pair")
      let most = UInt64(pair.repetitions)
      let first = 1 + Int(lane.draw("further", below: most))
      let second = 1 + Int(lane.draw("further", below: most))
      programs = [
        pair.program(pair.first, first, &world), pair.program(pair.second, second, &world),
      ]
    } else {
      programs = draw.round(round, threads: plan.threads, from: state, &world)
    }
    threadPoints = [Int](repeating: 0, count: programs.count)
    let isWarm = scenario.pair?.isSingle == true
    if !isWarm { beginSchedule() }
    try armCrash(engine)
    result.counters.schedules += 1
    do throws(PlatformError) {
      var spawned: [ThreadID] = []
      simulation.scheduler.holdsProcessor = true
      if isWarm {
        spawned = try startWarm(programs, engine, threads)
      } else {
        for (number, program) in programs.enumerated() where !program.isEmpty {
          spawned.append(
            try threads.spawn("thread \(number)") { self.serve(number, program, engine) })
        }
      }
      simulation.scheduler.holdsProcessor = false
      simulation.scheduler.record.isOn = scenario.pair != nil
      for thread in spawned { try threads.join(thread) }
      endRecord(of: spawned)
    } catch {
      simulation.scheduler.holdsProcessor = false
      if error.code == .killed { return }
      fail("progress", "a thread: \(error)")
    }
    simulation.disarmKill()
    if !simulation.isAlive || !result.failures.isEmpty { return }
    guard let after = try contents(engine) else {
      return fail("linearizability", "the contents hold what nobody wrote, or are out of order")
    }
    judgeRound(after, recovered: false)
    state = after
    outcome = fingerprint(programs.count)
    result.states.insert(outcome)
  }

  /// From here on the strategy decides by this round's choices.
  func beginSchedule() {
    let schedule = tape.lane("schedule", round + 1)
    strategy.beginRound(schedule)
    simulation.scheduler.schedule.beginRound(schedule)
  }

  private func fingerprint(_ threads: Int) -> UInt64 {
    var print = Fingerprint()
    for thread in 0..<threads {
      for call in calls where call.thread == thread {
        print.add(call.operation)
        if let outcome = call.outcome { print.add(outcome) }
      }
    }
    for place in 0..<SmallMap.capacity { print.add(UInt64(state[place])) }
    return print.value
  }

  /// In some rounds the process is to die: at a call that is drawn, near or far.
  private func armCrash(_ engine: any KeyValueEngine) throws(EngineError) {
    if !scenario.crashes { return }
    let lane = tape.lane("crash", round)
    lane.beginGroup()
    if lane.draw("crash", below: 3) == 0 { return }
    let losesPower = lane.draw("kind", below: 2) == 1
    let calls = 1 + lane.draw("calls", below: 16 << lane.draw("far", below: 8))
    try engine.flush()
    simulation.kill(afterSeamCalls: calls, losesPower ? .powerLoss : .processKill)
  }

  private func endRecord(of threads: [ThreadID]) {
    simulation.scheduler.record.isOn = false
    record = simulation.scheduler.record
    record.keep { id in threads.contains { $0.rawValue == id } }
    firstThread = threads.first?.rawValue ?? 0
  }

  func serve(_ thread: Int, _ program: [Operation], _ engine: any KeyValueEngine) {
    let began = simulation.scheduler.seamCalls
    defer { threadPoints[thread] = Int(simulation.scheduler.seamCalls &- began) }
    for operation in program {
      do throws(PlatformError) { try simulation.enter("operation") } catch { return }
      let place = calls.count
      calls.append(ProgramCall(thread: thread, operation: operation, invoked: events))
      events += 1
      result.counters.operations += 1
      var print = Fingerprint()
      print.add(operation)
      simulation.record("operation", UInt64(thread), print.value, 0)
      let call = judge.invoked(client: thread, operation, step: step)
      let outcome = engine.perform(operation)
      if case .failure(.killed, _, _) = outcome { return }
      if !simulation.isAlive { return }
      print.add(outcome)
      simulation.record("answer", UInt64(thread), print.value, 0)
      judge.returned(call, outcome, step: step)
      if simulation.scheduler.record.isOn { simulation.scheduler.record.mark(.answer) }
      calls[place].returned = events
      calls[place].outcome = outcome
      events += 1
      if case .failure(let code, let message, _) = outcome, code != .treeNotFound {
        return fail("error-contract", "\(Described.operation(operation)): \(code): \(message)")
      }
    }
  }

  /// The database was opened after a crash: what is there must be what a prefix of some order leads to.
  func judgeCrash(_ engine: any KeyValueEngine) throws(EngineError) {
    guard let after = try contents(engine) else {
      return fail("linearizability", "after a crash: contents that nobody wrote, or out of order")
    }
    result.counters.recoveries += 1
    try inspect(engine)
    if !result.failures.isEmpty { return }
    judgeRound(after, recovered: true)
    state = after
  }
}
