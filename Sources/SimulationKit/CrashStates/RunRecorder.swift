public import EngineKit
internal import HistoryKit
internal import Platform

/// Runs a run once, in a simulation without faults, and records its calls.
///
/// Same run, same engine: the same calls, on every machine and in every build.
///
/// Unchecked Sendable: the simulated threads of the run take turns on one system thread.
public final class RunRecorder: @unchecked Sendable {
  private let run: CrashRun
  private let factory: any EngineFactory
  private let log = CallLogMemory()
  private let simulation: Simulation
  private let disk = SimulatedDisk()
  private let judge: Judge
  /// The step to be done next.
  private var next = 0
  private var isOver = false
  private var problem: String?

  public static let directory = "/database"
  private static let seed: UInt64 = 1

  public init(_ run: CrashRun, _ factory: any EngineFactory) {
    self.run = run
    self.factory = factory
    simulation = Simulation(tape: ChoiceTape(driver: SeededDriver(seed: RunRecorder.seed)))
    judge = Judge(
      checkers: CheckerRegistry.standard.map { $0.make() }, capabilities: factory.capabilities,
      contract: factory.faultContract)
  }

  /// What came of a recording.
  public struct Recording: Sendable {
    public var calls: [LoggedCall]
    /// What was wrong already while it was made; nil when nothing was.
    public var problem: String?
    /// The named places of the engine that it came by.
    public var probes: [String]
  }

  public func record() -> Recording {
    var result = TapeResult()
    simulation.run {
      result.makeDirectory(RunRecorder.directory, on: disk, simulation)
      disk.capacity = run.capacity
      note(.createDirectory(path: RunRecorder.directory))
      note(.settled)
      note(
        .mark(
          .subject(
            engine: factory.name, directory: RunRecorder.directory, settings: run.settings)))
      var lives = 0
      while !isOver && problem == nil {
        lives += 1
        live(isFirst: lives == 1)
      }
    }
    disk.processKill()
    if problem == nil, let violation = judge.violations.first { problem = violation.description }
    return Recording(
      calls: log.calls, problem: problem, probes: simulation.counters.probes.map(\.name))
  }

  private func note(_ call: LoggedCall) { log.append(call) }

  private func live(isFirst: Bool) {
    let files = RecordingFileSystem(disk.mount(simulation), to: log)
    let platform = simulation.platform(files: files)
    let end = simulation.runProcess("engine") { self.process(platform, isFirst: isFirst) }
    switch end {
    case .finished: disk.processKill()
    case .killed:
      disk.processKill()
      note(.mark(.crashed))
      judge.crashed(.processKill, step: next)
    default: problem = "the run itself did not end well: \(end.description)"
    }
  }

  /// A life of the process, up to a step that ends it.
  private func process(_ platform: PlatformServices, isFirst: Bool) {
    do throws(EngineError) {
      let engine = try factory.open(RunRecorder.directory, on: platform, settings: run.settings)
      note(.mark(.opened))
      judge.opened(nil, step: next)
      if !isFirst {
        let state = try RecoveredState(of: engine)
        note(.mark(.recovered(state)))
        judge.recovered(state, step: next)
      }
      while next < run.steps.count {
        let step = run.steps[next]
        next += 1
        switch step {
        case .perform(let operation): perform(operation, 0, engine)
        case .together(let clients): together(clients, engine, platform.threads)
        case .pause(let nanoseconds):
          do throws(PlatformError) { try simulation.delay(nanoseconds: nanoseconds) } catch {}
        case .reopen:
          try close(engine)
          return
        case .kill:
          simulation.killNow(.processKill)
          return
        }
      }
      try close(engine)
      isOver = true
    } catch {
      if problem == nil { problem = "step \(next) failed: \(error)" }
    }
  }

  private func close(_ engine: any KeyValueEngine) throws(EngineError) {
    try engine.close()
    note(.mark(.closed))
    judge.closed(nil, step: next)
  }

  private func perform(_ operation: Operation, _ client: Int, _ engine: any KeyValueEngine) {
    let call = judge.invoked(client: client, operation, step: next)
    note(.mark(.began(call: UInt64(call.number), client: client, operation: operation)))
    let outcome = engine.perform(operation)
    note(.mark(.ended(call: UInt64(call.number), outcome: outcome)))
    // A disk that is full is part of some runs.
    if case .failure(.noSpace, _, _) = outcome { judge.met(.noSpace, step: next) }
    judge.returned(call, outcome, step: next)
  }

  private func together(
    _ clients: [[Operation]], _ engine: any KeyValueEngine, _ threads: any Threads
  ) {
    do throws(PlatformError) {
      var spawned: [ThreadID] = []
      for (client, operations) in clients.enumerated() {
        spawned.append(
          try threads.spawn("client") {
            for operation in operations { self.perform(operation, client, engine) }
          })
      }
      for thread in spawned { try threads.join(thread) }
    } catch {
      problem = "a client's thread: \(error)"
    }
  }
}
