import Foundation

/// A part of a run that is done or not: some engines, each with a worker and a directory, and the steps
/// that they take in turns.
final class Section {
  let name: String
  let options: Options
  /// Luge and the peers of this section.
  private(set) var engines: [String]
  /// Odd rounds run the engines in the other order.
  let round: Int
  private let attempt: Int
  private let journal: Journal
  private var workers: [String: WorkerProcess] = [:]
  private var serial = 0

  init(_ plan: PlannedSection, _ options: Options, _ journal: Journal) {
    (name, engines, round) = (plan.name, plan.engines, plan.round)
    self.options = options
    self.journal = journal
    attempt = journal.begin()
  }

  var folder: String { options.directory + "/data" }
  func directory(_ engine: String) -> String { folder + "/" + engine }

  /// The seed of this round, the same for all engines.
  var seed: UInt64 { options.seed &+ UInt64(round) << 32 }

  func nextSerial() -> Int {
    serial += 1
    return serial
  }

  // MARK: Workers

  /// The engine's worker, started where there is none.
  func worker(_ engine: String, cgroup: String? = nil) throws -> WorkerProcess {
    if let worker = workers[engine] { return worker }
    let worker = try WorkerProcess(engine, cgroup: cgroup)
    workers[engine] = worker
    return worker
  }

  /// Opens a database in the engine's directory; a new one, unless said.
  @discardableResult
  func open(
    _ engine: String, _ options: EngineOptions = EngineOptions(), isNew: Bool = true,
    cgroup: String? = nil
  ) throws -> Measurement {
    let files = FileManager.default
    if isNew { try? files.removeItem(atPath: directory(engine)) }
    try files.createDirectory(atPath: directory(engine), withIntermediateDirectories: true)
    return try worker(engine, cgroup: cgroup).ask(
      .open(directory: directory(engine), options: options))
  }

  /// Closes the database and removes its files.
  func drop(_ engine: String) throws {
    try workers.removeValue(forKey: engine)?.close()
    try? FileManager.default.removeItem(atPath: directory(engine))
  }

  /// Kills the worker; its files stay.
  func killWorker(_ engine: String) { workers.removeValue(forKey: engine)?.kill9() }

  /// Closes the database; its files stay.
  func close(_ engine: String) throws -> Measurement? {
    guard let worker = workers.removeValue(forKey: engine) else { return nil }
    let measurement = try worker.ask(.close)
    worker.end()
    return measurement
  }

  /// Ends everything, whatever state it is in.
  func cleanUp() {
    for engine in workers.keys.sorted() { killWorker(engine) }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Waits until no worker has used its processor for 200 ms, at most 20 s: compactions and checkpoints
  /// of one engine shall not be timed with another.
  func quiesce() {
    var former = -1
    var quiet = 0
    for _ in 0..<200 where quiet < 2 {
      let now = workers.values.reduce(0) { $0 + ProcessFigures.processorTime($1.id) }
      quiet = now - former <= 10 ? quiet + 1 : 0
      former = now
      if quiet < 2 { usleep(100_000) }
    }
  }

  // MARK: Steps

  /// Runs the body for each engine that still works, Luge between its peers, in turns from round to round. One
  /// that fails is noted and takes no more part.
  func each(_ row: Row, among chosen: [String]? = nil, _ body: (String) throws -> Void) throws {
    let taking = engines.filter { chosen?.contains($0) ?? true }
    var order = taking.filter { $0 != Engines.luge }
    if taking.contains(Engines.luge) { order.insert(Engines.luge, at: (order.count + 1) / 2) }
    if round % 2 == 1 { order.reverse() }
    for engine in order {
      do {
        quiesce()
        try body(engine)
      } catch {
        Console.note("FAILED   \(row.title): \(error)")
        killWorker(engine)
        engines.removeAll { $0 == engine }
        var sample = Sample(row: row, engine: engine, section: name, attempt: attempt)
        sample.failure = "\(error)"
        try journal.note(sample)
      }
    }
  }

  func note(
    _ row: Row, _ engine: String, _ measurement: Measurement, _ figures: [String: Double] = [:]
  ) throws {
    var sample = Sample(
      row: row, engine: engine, section: name, attempt: attempt, measurement: measurement)
    sample.figures = figures
    let directory = directory(engine)
    if FileManager.default.fileExists(atPath: directory) {
      sample.allocatedBytes = ProcessFigures.allocatedBytes(directory)
    }
    try journal.note(sample)
    Console.note(
      "  \(row.title) x\(row.threads) \(engine): \(Console.rate(measurement.rate))"
        + figures.sorted { $0.key < $1.key }.map { ", \($0.key) \(Console.short($0.value))" }
        .joined())
  }

  /// One step of one workload by each engine.
  func measure(_ row: Row, _ step: Step, among chosen: [String]? = nil, isNoted: Bool = true) throws
  {
    try each(row, among: chosen) { engine in
      let worker = try worker(engine)
      let measurement = try worker.ask(.run(step))
      if isNoted { try note(row, engine, measurement, figures(row, measurement)) }
      try worker.ask(.settle)
    }
  }

  private func figures(_ row: Row, _ measurement: Measurement) -> [String: Double] {
    let live = Double(row.entries * Shape.standard.entrySize)
    switch row.workload {
    // Between the load and the removal the live bytes are always these.
    case .loadRandom, .mixed50, .overwrite:
      return ["residentOfLive": Double(measurement.residentBytes) / live]
    default: return [:]
    }
  }

  func finish() throws { try journal.finish(name, attempt) }
}

/// A section that a run consists of.
struct PlannedSection {
  /// Names it in the journal.
  let name: String
  let engines: [String]
  let round: Int
  let body: (Section) throws -> Void
}
