internal import EngineKit
internal import HistoryKit
internal import Platform

/// One tape of small concurrent programs: an engine is opened, and round after round a few threads
/// make a few calls each, interleaved by the tape. After every round the whole contents are read, and an
/// order of the calls is looked for that explains every answer and these contents. In some rounds the process is
/// killed or the power goes; then what the next opening finds must be what some prefix of such an order leads to.
///
/// Invariants:
/// - `state` is what the database held when the round began, seen with nothing under way.
/// - Before a round that may end in a crash everything is flushed, so no crash reaches back behind its round.
/// - The first property that does not hold ends the tape.
///
/// Unchecked Sendable: the simulated threads of a tape run one at a time on one system thread.
final class InterleavingRun: @unchecked Sendable {
  let scenario: InterleavingScenario
  let factory: any EngineFactory
  let options: TapeOptions
  let tape: ChoiceTape
  let plan: InterleavingPlan
  let simulation: Simulation
  let strategy: any SchedulingStrategy
  let disk: SimulatedDisk
  let judge: Judge
  var draw: ProgramDraw
  var world: ProgramWorld
  var result = TapeResult()

  var state = SmallMap.State()
  var round = 0
  /// The calls of this round, and the number of events in it so far.
  var calls: [ProgramCall] = []
  var events = 0
  /// The process died in this round, whose calls are still to be judged by what is recovered.
  var crashed = false
  var lives = 0
  var isFinished = false
  /// By thread of the round: the calls at which it could have been preempted, while it ran.
  var threadPoints: [Int] = []
  /// Of the last round: what each thread's calls answered in turn, and what was there afterwards.
  var outcome: UInt64 = 0
  /// What the threads of a pair did, and which of them was made first.
  var record = AccessRecord()
  var firstThread: UInt64 = 0

  /// Preemptions of all rounds.
  var preemptions: Int { Int(simulation.scheduler.preemptions) }

  static let directory = "/database"

  init(
    _ scenario: InterleavingScenario, _ factory: any EngineFactory, driver: any ChoiceDriver,
    options: TapeOptions
  ) {
    self.scenario = scenario
    self.factory = factory
    self.options = options
    let tape = ChoiceTape(driver: driver)
    self.tape = tape
    let plan = InterleavingPlan(scenario, factory, tape.lane("plan"))
    self.plan = plan
    if let pair = scenario.pair {
      strategy = PreemptionStrategy(tape: tape, most: pair.mostPreemptions)
    } else {
      switch plan.strategy {
      case .random: strategy = RandomStrategy(tape: tape)
      case .priorities: strategy = PriorityStrategy(tape: tape)
      case .exact: strategy = ExactStrategy(tape: tape)
      }
    }
    var circumstances = SimulationOptions(
      callLimit: 400_000, keepsAllEvents: options.keepsEvents)
    circumstances.tracesBytes = !options.isHasty
    simulation = Simulation(tape: tape, strategy: strategy, options: circumstances)
    simulation.keepsFreedMemory = plan.keepsFreedMemory
    simulation.scheduler.schedule.isOn = options.recordsSchedule && scenario.pair == nil
    disk = SimulatedDisk()
    judge = Judge(checkers: [], capabilities: factory.capabilities, contract: factory.faultContract)
    draw = ProgramDraw(scenario, factory.capabilities, tape)
    world = ProgramWorld(usesSecondTree: plan.usesSecondTree)
    disk.watch = StorageWatch(
      factory.storageRules(for: InterleavingRun.directory), isBlind: { false },
      report: { [unowned self] in fail("storage-order", $0) })
  }

  func run() -> TapeResult {
    simulation.run {
      result.makeDirectory(InterleavingRun.directory, on: disk, simulation)
      while result.failures.isEmpty && !isFinished { live() }
    }
    disk.processKill()
    collect()
    return result
  }

  /// One life of the engine: from an opening to a crash, or to the end of the tape.
  private func live() {
    lives += 1
    let platform = simulation.platform(files: disk.mount(simulation))
    let end = simulation.runProcess("engine") { self.process(platform) }
    switch end {
    case .finished:
      disk.processKill()
      if isFinished, let leak = simulation.leak { fail("memory", leak) }
    case .brokenMemory(let what): return fail("memory", what)
    case .trapped(let what): return fail("trap", what)
    case .killed where isFinished: disk.processKill()
    case .killed(let kind, _):
      crashed = true
      result.counters.notePendingSectors(disk.pendingSectors)
      judge.crashed(kind, step: step)
      switch kind {
      case .processKill:
        result.counters.processKills += 1
        disk.processKill()
      case .powerLoss:
        result.counters.powerLosses += 1
        disk.powerLoss(choosing: simulation, allowing: plan.losses)
      }
    case .killedByFaultPoint: disk.processKill()
    case .deadlock, .livelock, .notStarted: fail("progress", end.description)
    }
    if simulation.abandonedThreads > 0 {
      fail("progress", "\(simulation.abandonedThreads) threads outlived their process")
    }
    if result.inconclusive != nil { isFinished = true }
  }

  /// What the engine's process does.
  private func process(_ platform: PlatformServices) {
    do throws(EngineError) {
      var engine = try factory.open(
        InterleavingRun.directory, on: platform, settings: plan.settings)
      judge.opened(nil, step: step)
      if crashed {
        try judgeCrash(engine)
        crashed = false
        round += 1
      } else if let pair = scenario.pair {
        engine = try prepare(pair, engine, platform)
      } else {
        try fill(engine)
        engine = try reopen(engine, platform)
      }
      while round < plan.rounds && result.failures.isEmpty {
        try playRound(engine, platform.threads)
        if !simulation.isAlive { return }
        round += 1
      }
      if !result.failures.isEmpty { return }
      isFinished = true
      if scenario.pair != nil && tape.lane("end").draw("isShort", below: 2) == 1 {
        // The most of a schedule's time. What a later closing shows, those of other schedules do.
        simulation.killNow(.processKill)
        return
      }
      try inspect(engine)
      try engine.close()
      judge.closed(nil, step: step)
    } catch {
      if error.code != .killed { fail("error-contract", "failed without a cause: \(error)") }
    }
  }

  /// What is there before a pair's round: every second key, and where that is of use, on disk too.
  private func prepare(
    _ pair: ProgramPair, _ fresh: any KeyValueEngine, _ platform: PlatformServices
  ) throws(EngineError) -> any KeyValueEngine {
    let engine = fresh
    func write() throws(EngineError) {
      var place = 0
      while place <= 10 {
        let number = world.newValue(length: 8)
        _ = try engine.insert(
          world.bytes(number) ?? [], for: ProgramWorld.key(place), in: .default)
        state[place] = number
        place += 2
      }
    }
    try write()
    let actions = [pair.first, pair.second]
    if actions.contains(.mergingRemove) {
      // Few enough are left for two leaves to become one.
      for place in [0, 10] {
        _ = try engine.remove(ProgramWorld.key(place), in: .default)
        state[place] = 0
      }
    }
    if actions.contains(.cleanerMove) {
      // Segments at rest, mostly dead: those of an earlier life, and what is live in them is not in memory.
      if factory.capabilities.contains(.checkpoints) {
        try engine.checkpoint()
        try write()
        try engine.checkpoint()
      }
      try engine.close()
      return try factory.open(
        InterleavingRun.directory, on: platform, settings: plan.settings)
    }
    if actions.contains(where: { $0.needsStorage }),
      factory.capabilities.contains(.checkpoints)
    {
      try engine.checkpoint()
    }
    if actions.contains(.pageIn) {
      var left = 6
      while left > 0 {
        try engine.evict()
        left -= 1
      }
    }
    return engine
  }

  /// What is there before the first round.
  private func fill(_ engine: any KeyValueEngine) throws(EngineError) {
    let lane = tape.lane("fill")
    let rarity = lane.draw("rarity", below: 4)
    var place = 0
    while place < (world.usesSecondTree ? SmallMap.capacity : ProgramWorld.split) {
      if rarity == 3 || lane.draw("absent", below: 4) <= rarity {
        try write(place, engine, lane)
      }
      place += 1
    }
    if lane.draw("checkpoint", below: 2) == 1
      && factory.capabilities.contains(.checkpoints)
    {
      try engine.checkpoint()
    }
    // Small neighbours, which the next checkpoint merges.
    if !scenario.actions.contains(.checkpoint) || lane.draw("thins", below: 3) == 0 { return }
    while place > 0 {
      place -= 1
      if state[place] == 0 || lane.draw("stays", below: 4) == 0 { continue }
      _ = try engine.remove(ProgramWorld.key(place), in: ProgramWorld.tree(of: place))
      state[place] = 0
    }
  }

  private func write(
    _ place: Int, _ engine: any KeyValueEngine, _ lane: ChoiceLane
  ) throws(EngineError) {
    let lengths = scenario.actions.contains(.hugeInsert) ? [8, 200, 5000, 9000] : [8]
    let length = lengths.count == 1 ? 0 : Int(lane.draw("length", below: UInt64(lengths.count)))
    let number = world.newValue(length: lengths[length])
    _ = try engine.insert(
      world.bytes(number) ?? [], for: ProgramWorld.key(place), in: ProgramWorld.tree(of: place))
    state[place] = number
  }

  /// In some tapes the cleaner is to find something: segments of an earlier life, in which much is dead.
  private func reopen(
    _ engine: any KeyValueEngine, _ platform: PlatformServices
  ) throws(EngineError) -> any KeyValueEngine {
    let lane = tape.lane("reopen")
    if !scenario.actions.contains(.clean) || lane.draw("reopens", below: 3) == 0 { return engine }
    if factory.capabilities.contains(.checkpoints) { try engine.checkpoint() }
    try engine.close()
    let again = try factory.open(
      InterleavingRun.directory, on: platform, settings: plan.settings)
    var left = lane.draw("writes", below: 8)
    while left > 0 {
      left -= 1
      try write(Int(lane.draw("place", below: UInt64(ProgramWorld.split))), again, lane)
    }
    if factory.capabilities.contains(.checkpoints) { try again.checkpoint() }
    var evictions = lane.draw("evictions", below: 8)
    while evictions > 0 {
      evictions -= 1
      try again.evict()
    }
    return again
  }

  func inspect(_ engine: any KeyValueEngine) throws(EngineError) {
    let findings = try engine.checkInvariants()
    judge.inspected(findings, step: step)
    if let first = findings.first { fail("invariants", first) }
  }

  /// Everything that the engine holds; nil where it is out of order or holds what nobody wrote.
  func contents(_ engine: any KeyValueEngine) throws(EngineError) -> SmallMap.State? {
    var state = SmallMap.State()
    for tree in world.trees {
      let entries = try engine.scan(.all, .forward, limit: .max, in: tree)
      guard let found = world.writes(entries, in: tree, backward: false) else { return nil }
      for write in found {
        if write.value == ProgramWorld.foreign { return nil }
        state[write.place] = write.value
      }
    }
    return state
  }

  /// The judge's clock: calls made.
  var step: Int { result.counters.operations }

  func fail(_ property: String, _ detail: String) {
    result.failures.append(Failure(property: property, detail: detail, step: step))
  }

  private func collect() {
    result.counters.preemptions = preemptions
    result.schedule = simulation.scheduler.schedule.choices
    result.counters.schedulePoints = Int(clamping: simulation.counters.seamCalls)
    // Of a pair there are thousands: once for all of them.
    if scenario.pair == nil && !options.isHasty { result.counters.declare(by: factory) }
    result.collect(simulation, options, places: \.faultPointHits, judge.history)
  }
}
