public import EngineKit
internal import HistoryKit
internal import Platform

/// What came of stopping a thread for good at every schedule point of one operation, in turn, while another
/// thread does a second one: whether that one still ends, and in how many steps.
public struct ParkedCell: Equatable, Sendable {
  /// What the stopped thread was doing.
  public var stopped: ProgramAction
  /// What the other thread did then.
  public var running: ProgramAction
  /// Points at which the first was stopped: all that it has.
  public var points = 0
  /// At how many of them the other did not end.
  public var blocked = 0
  /// The most seam calls that the other needed where it ended.
  public var mostCalls: UInt64 = 0
  /// The last places that the stopped thread had named where the other did not end, each once.
  public var places: [String] = []
  /// What went wrong otherwise; empty when nothing did.
  public var problems: [String] = []
}

/// Stops threads. Each point is a run of its own on an empty tape: no chance in it.
public enum ParkedThread {
  /// Seam calls within which an operation counts as ended: several times what any needs.
  static let patience: UInt64 = 50_000

  /// One cell of the table. `actions` as `ProgramAction`; needs a build with schedule points.
  public static func cell(
    _ factory: any EngineFactory, stopped: ProgramAction, running: ProgramAction
  ) -> ParkedCell {
    var cell = ParkedCell(stopped: stopped, running: running)
    var point: UInt64 = 1
    while true {
      let run = ParkedRun(factory, stopped, running, point)
      run.run()
      if let problem = run.problem {
        cell.problems.append("point \(point): \(problem)")
        if cell.problems.count == 3 { return cell }
      }
      // It ended before it came to this point.
      if !run.hasStopped { return cell }
      cell.points += 1
      if let calls = run.calls {
        cell.mostCalls = max(cell.mostCalls, calls)
      } else if run.problem == nil {
        cell.blocked += 1
        if !cell.places.contains(run.place) { cell.places.append(run.place) }
      }
      point += 1
    }
  }
}

/// One engine, one thread that stops, one that goes on.
///
/// Unchecked Sendable: the simulated threads of a run run one at a time on one system thread.
private final class ParkedRun: @unchecked Sendable {
  private let factory: any EngineFactory
  private let stopped: ProgramAction
  private let running: ProgramAction
  private let point: UInt64
  private let simulation: Simulation
  /// The first thread was stopped at the point.
  var hasStopped = false
  /// Where it was by the names that it had passed.
  var place = ""
  /// Seam calls until the second thread had ended; nil when it did not.
  var calls: UInt64?
  var problem: String?

  init(
    _ factory: any EngineFactory, _ stopped: ProgramAction, _ running: ProgramAction,
    _ point: UInt64
  ) {
    self.factory = factory
    self.stopped = stopped
    self.running = running
    self.point = point
    simulation = Simulation(tape: ChoiceTape(driver: ReplayDriver([])))
  }

  func run() {
    let disk = SimulatedDisk()
    simulation.run {
      let files = disk.mount(simulation)
      do throws(PlatformError) {
        try files.createDirectory("/database")
        try files.syncDirectory("/")
      } catch { problem = "no directory: \(error)" }
      files.end()
      let platform = simulation.platform(files: disk.mount(simulation))
      let end = simulation.runProcess("engine") { self.process(platform) }
      switch end {
      case .killed, .finished: break
      default: if problem == nil { problem = end.description }
      }
    }
    disk.processKill()
  }

  private func process(_ platform: PlatformServices) {
    var settings = EngineSettings()
    settings.automaticBackgroundWork = false
    settings.flushInterval = nil
    settings.pageSize = 256
    settings.segmentSize = 4096
    do throws(EngineError) {
      var engine = try factory.open("/database", on: platform, settings: settings)
      try fill(engine)
      if stopped == .clean || running == .clean {
        // Segments at rest, mostly dead: those of an earlier life.
        try engine.checkpoint()
        try engine.close()
        engine = try factory.open("/database", on: platform, settings: settings)
        try fill(engine)
        try engine.checkpoint()
      }
      try stop(engine, platform.threads)
    } catch {
      if error.code != .killed { problem = "\(error)" }
    }
  }

  private func fill(_ engine: any KeyValueEngine) throws(EngineError) {
    for place in [0, 2, 4, 6, 8] {
      _ = try engine.insert([1], for: ProgramWorld.key(place), in: .default)
    }
  }

  private func stop(
    _ engine: any KeyValueEngine, _ threads: any Threads
  ) throws(EngineError) {
    do throws(PlatformError) {
      let first = try threads.spawn("stopped") { self.perform(self.stopped, 1, engine) }
      guard let thread = simulation.scheduler.thread(first.rawValue) else { return }
      thread.stopsAfter = point
      while thread.state != .stopped && thread.state != .ended {
        try threads.backOff(attempt: 0)
      }
      if thread.state == .ended { return simulation.killNow() }
      hasStopped = true
      place = thread.place.description
      let begin = simulation.scheduler.seamCalls
      let second = try threads.spawn("running") { self.perform(self.running, 2, engine) }
      guard let other = simulation.scheduler.thread(second.rawValue) else { return }
      while other.state != .ended
        && simulation.scheduler.seamCalls - begin < ParkedThread.patience
      {
        try threads.backOff(attempt: 20)
      }
      if other.state == .ended { calls = simulation.scheduler.seamCalls - begin }
      simulation.killNow()
    } catch {
      if error.code != .killed { problem = "\(error)" }
    }
  }

  private func perform(_ action: ProgramAction, _ number: UInt8, _ engine: any KeyValueEngine) {
    if case .failure(let code, let message, _) = engine.perform(operation(action, number)),
      code != .killed
    {
      problem = "\(action.rawValue): \(code): \(message)"
    }
  }

  /// Both threads work on the same keys; new ones lie side by side in a leaf that is nearly full.
  private func operation(_ action: ProgramAction, _ number: UInt8) -> Operation {
    let key = ProgramWorld.key(4)
    switch action {
    case .get: return .get(key, in: .default)
    case .insert: return .insert([number, 2], for: key, in: .default)
    case .largeInsert:
      return .insert(
        Bytes(repeating: number, count: 200), for: ProgramWorld.key(3), in: .default)
    case .remove: return .remove(key, in: .default)
    case .exchange:
      return .compareExchange(key, expected: [1], desired: [number, 3], in: .default)
    case .scanForward: return .scan(.all, .forward, limit: .max, in: .default)
    case .scanBackward: return .scan(.all, .backward, limit: .max, in: .default)
    case .hugeInsert:
      return .insert(
        Bytes(repeating: number, count: 9000), for: ProgramWorld.key(3), in: .default)
    case .dropTree: return .dropTree(ProgramWorld.secondTree)
    case .batch, .crossTreeBatch, .largeBatch:
      return .batch([
        BatchWrite(ProgramWorld.key(2), [number, 4]), BatchWrite(key, [number, 4]),
      ])
    case .flush: return .flush
    case .checkpoint: return .checkpoint
    case .backgroundWork: return .backgroundWork
    case .evict: return .evict
    case .clean: return .clean
    }
  }
}
