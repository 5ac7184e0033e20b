internal import EngineKit
internal import HistoryKit
internal import Platform

/// One run of one tape: lives of the engine, one after the other, on one simulated disk.
///
/// A *life* opens the database, checks what it finds, lets the clients work, and ends in a crash, in a
/// reopening after reported errors, or in a clean end. Invariants:
/// - Nothing is drawn but from the tape; nothing is counted that did not happen.
/// - Faults that the contract lets the engine report are suspended while contents are checked.
/// - The first property that does not hold ends the tape.
///
/// Unchecked Sendable: the simulated threads of a tape run one at a time on one system thread.
final class TapeRun: @unchecked Sendable {
  let scenario: Scenario
  let factory: any EngineFactory
  let options: TapeOptions
  let tape: ChoiceTape
  let plan: TapePlan
  let simulation: Simulation
  let gate: CrashGate
  let disk: SimulatedDisk
  let judge: Judge
  let workload: any WorkloadRun
  var result = TapeResult()

  /// Lives begun.
  var lives = 0
  var crashesPlanned = 0
  /// Operations that the clients may still do.
  var operationsLeft: Int
  var phase = Phase.opening
  /// How this life is to end; nil for a clean end.
  var crash: CrashPlan?
  var operationsInLife = 0
  /// The clients of this life do no more.
  var isLifeOver = false
  /// The crash of this life waits for its moment, or has come.
  var isArmed = false
  /// The next client to come back flushes: the crash waits for a sync.
  var isFlushDue = false
  /// Errors that operations of this life answered; the judge has accepted them.
  var excusedErrors = 0
  /// An opening has come through.
  var hasOpened = false
  /// Reopenings because of such errors.
  var reopenings = 0
  /// Faults that the judge has been told of, by place of the class.
  var faultsTold = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// Over all classes.
  var allFaultsTold = 0
  /// The same when this life began.
  var faultsAtOpening = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// The next opening is cut short by the crash before it.
  var openingCut: CrashPlan?
  /// The life now beginning is thrown away as soon as it has been checked.
  var isRehearsal = false
  /// Operations by client, over all lives.
  var sequences: [Int]
  /// The last opening failed with a reason: this one is spared all faults and must come through.
  var mustOpen = false
  /// Of the judge's violations, those already taken over.
  var violationsTaken = 0
  /// This life only looks at what a clean end has left.
  var isEpilogue = false
  /// Bytes on disk of the new database, before clients wrote to it.
  var emptyBytes: Int?
  /// The tape has legally ended before its time.
  var hasEnded = false

  static let directory = "/database"

  enum Phase { case opening, checking, working, ending, done }

  init(
    _ scenario: Scenario, _ factory: any EngineFactory, driver: any ChoiceDriver,
    options: TapeOptions
  ) {
    self.scenario = scenario
    self.factory = factory
    self.options = options
    tape = ChoiceTape(driver: driver)
    plan = TapePlan(scenario, factory, operations: options.operations, tape: tape)
    var world = SimulationOptions(keepsAllEvents: options.keepsEvents)
    world.tracesBytes = !options.isHasty
    // A stack is cleared when it is used again.
    if options.isHasty { world.stackSize /= 2 }
    #if SchedulePoints
      // Each access is a call there.
      world.callLimit *= 8
    #endif
    simulation = Simulation(
      tape: tape, plan: plan.faults,
      strategy: plan.usesPriorities ? PriorityStrategy(tape: tape) : nil, options: world)
    gate = CrashGate(simulation)
    disk = SimulatedDisk()
    judge = Judge(
      checkers: scenario.checkers.map { $0.make() }, capabilities: factory.capabilities,
      contract: factory.faultContract)
    workload = scenario.workload.prepare(
      tape.lane("plan"),
      for: WorkloadWorld(
        capabilities: factory.capabilities, clients: plan.clients, operations: options.operations,
        largestBatch: factory.largestBatch(plan.settings) ?? .max))
    operationsLeft = options.operations
    sequences = Array(repeating: 0, count: plan.clients)
    // Decay, met by the engine or not, and syncs that lie excuse what a rule finds. The disk goes with
    // this run.
    // A disk that lies is no disk that an engine has written to in the wrong order.
    disk.keepsFormer = plan.faults[.staleRead] != 0 || plan.faults[.misdirectedWrite] != 0
    if !options.watchesOrder { return }
    disk.watch = StorageWatch(
      factory.storageRules(for: TapeRun.directory),
      isBlind: { [unowned self] in disk.hasRotted || judge.context.isBeyondContract },
      report: { [unowned self] in fail("storage-order", $0) })
  }

  func run() -> TapeResult {
    simulation.run {
      result.makeDirectory(TapeRun.directory, on: disk, simulation)
      while result.failures.isEmpty && !hasEnded { live() }
    }
    disk.processKill()
    takeViolations()
    putTheTellingFirst()
    collect()
    return result
  }

  /// One life, and what the world does at its end.
  private func live() {
    lives += 1
    operationsInLife = 0
    isLifeOver = false
    isArmed = false
    isFlushDue = false
    excusedErrors = 0
    faultsAtOpening = simulation.faults.counts
    phase = .opening
    gate.ambush(atSync: 0, .processKill)
    isRehearsal = openingCut?.recoversTwice ?? false
    if lives > TapeRun.mostLives || isEpilogue { mustOpen = true }
    if let cut = openingCut, cut.openingCalls > 0, !mustOpen {
      // Once; then it must come through.
      openingCut?.openingCalls = 0
      simulation.kill(afterSeamCalls: cut.openingCalls, cut.openingKind)
    }
    let platform = simulation.platform(files: disk.mount(gate))
    let end = simulation.runProcess("engine") { self.process(platform) }
    finish(end)
  }

  /// What the engine's process does: open, check, work, end.
  private func process(_ platform: PlatformServices) {
    openWrongly(platform)
    if !simulation.isAlive || !result.failures.isEmpty { return }
    guard let engine = open(platform) else { return }
    hasOpened = true
    simulation.disarmKill()
    phase = .checking
    simulation.faultsAreSuspended = true
    let isSound = check(engine)
    simulation.faultsAreSuspended = false
    if !isSound { return }
    if isEpilogue {
      hasEnded = true
      return
    }
    if scenario.endsEmpty && emptyBytes == nil { measureEmpty(engine) }
    let cut = openingCut
    openingCut = nil
    if isRehearsal, let cut {
      simulation.killNow(cut.openingKind)
      return
    }
    crash = CrashPlan.draw(
      tape.lane("crash"), plan: plan, crashesBefore: crashesPlanned,
      operations: options.operations)
    if crash != nil { crashesPlanned += 1 }
    phase = .working
    // A small disk is full only for clients: somebody makes room before the engine is opened or closed.
    disk.capacity = plan.capacity
    work(engine, platform.threads)
    disk.capacity = nil
    if !simulation.isAlive { return }
    phase = .ending
    if let crash {
      simulation.killNow(crash.kind)
    } else if isLifeOver && excusedErrors > 0 && reopenings < TapeRun.mostReopenings {
      reopenings += 1
      simulation.killNow(.processKill)
    } else {
      end(engine)
    }
  }
  private static let mostReopenings = 8
  /// Lives after which openings are spared all faults.
  private static let mostLives = 64

  /// The tape's end: what is there is read once more through the clients' eyes, and the engine is closed.
  private func end(_ engine: any KeyValueEngine) {
    simulation.faultsAreSuspended = true
    defer { simulation.faultsAreSuspended = false }
    if scenario.endsEmpty { checkSpace(engine) }
    if !result.failures.isEmpty || !simulation.isAlive { return }
    checkAtEnd(engine)
    if !result.failures.isEmpty { return }
    do throws(EngineError) {
      try engine.close()
      phase = .done
      tellFaults()
      judge.closed(nil, step: step)
    } catch {
      if error.code == .killed { return }
      tellFaults()
      judge.closed(error, step: step)
      // An engine that has refused since an error may refuse to close as well.
      hasEnded = true
    }
  }

  /// The process has ended: what that means for the disk, the judge and the tape.
  private func finish(_ end: ProcessEnd) {
    switch end {
    case .finished:
      disk.processKill()
      if phase == .done {
        if let leak = simulation.leak { fail("memory", leak) }
        beginEpilogue()
      }
    case .killed(let kind, _): crashed(kind)
    case .killedByFaultPoint: crashed(.processKill)
    case .brokenMemory(let what): return fail("memory", what)
    case .trapped(let what): return fail("trap", what)
    case .deadlock, .livelock, .notStarted: fail("progress", end.description)
    }
    if simulation.abandonedThreads > 0 {
      fail("progress", "\(simulation.abandonedThreads) threads outlived their process")
    }
  }

  /// After a clean end: the power goes, and what was closed must be there.
  private func beginEpilogue() {
    if !plan.endsWithPowerLoss || !plan.allowsPowerLoss || isEpilogue {
      hasEnded = true
      return
    }
    isEpilogue = true
    disk.powerLoss(choosing: simulation, allowing: plan.losses)
  }

  private func crashed(_ kind: CrashKind) {
    let pending = disk.pendingSectors
    result.counters.notePendingSectors(pending)
    if phase == .opening && lives > 1 { result.counters.crashesDuringRecovery += 1 }
    switch kind {
    case .processKill:
      result.counters.processKills += 1
      disk.processKill()
    case .powerLoss:
      result.counters.powerLosses += 1
      disk.powerLoss(choosing: simulation, allowing: plan.losses)
    }
    tellFaults()
    judge.crashed(kind, step: step)
    if phase != .opening { openingCut = crash }
    var bits = crash?.flippedBits ?? 0
    while bits > 0 {
      bits -= 1
      disk.rot(choosing: simulation)
    }
    crash = nil
  }

  // MARK: Verdicts

  /// The judge's clock: operations done.
  var step: Int { result.counters.operations }

  /// Notes that a property does not hold.
  func fail(_ property: String, _ detail: String) {
    result.failures.append(Failure(property: property, detail: detail, step: step))
  }

  /// Takes over what the judge has found.
  func takeViolations() {
    if judge.holds { return }
    let found = judge.violations
    while violationsTaken < found.count {
      let violation = found[violationsTaken]
      violationsTaken += 1
      result.failures.append(
        Failure(property: violation.property, detail: violation.detail, step: violation.step))
    }
  }

  /// One defect often breaks several properties at one step. The narrower one says more: a torn batch is
  /// also a hole in a prefix, and it is by its first property that a tape is shrunk.
  private func putTheTellingFirst() {
    let general = ["durability", "prefix-durability"]
    guard let first = result.failures.first, general.contains(first.property) else { return }
    for (place, failure) in result.failures.enumerated()
    where failure.step == first.step && !general.contains(failure.property) {
      result.failures.remove(at: place)
      result.failures.insert(failure, at: 0)
      return
    }
  }

  /// Tells the judge of the faults that have met a call since it was told last.
  func tellFaults() {
    if allFaultsTold == simulation.faults.total { return }
    allFaultsTold = simulation.faults.total
    var place = 0
    while place < faultsTold.count {
      let count = simulation.faults.counts[place]
      while faultsTold[place] < count {
        faultsTold[place] += 1
        judge.met(FaultClass.allCases[place], step: step)
      }
      place += 1
    }
  }

  /// Whether the engine has met a fault in this life that it may answer with an error, though no operation has
  /// shown that yet: a background thread may have met it.
  var hasMetFault: Bool {
    for fault in FaultClass.allCases where factory.faultContract[fault] != .survives {
      if simulation.faults.counts[fault.ordinal] > faultsAtOpening[fault.ordinal] { return true }
    }
    return false
  }

  /// Whether something has damaged the disk: the faults that outlast their life.
  var hasRot: Bool {
    for fault in FaultClass.allCases where fault.isLasting {
      if simulation.faults.counts[fault.ordinal] > 0 { return true }
    }
    return false
  }

  private func collect() {
    if !options.isHasty { result.counters.declare(by: factory) }
    result.collect(simulation, options, places: \.faultPointsFired, judge.history)
  }
}
