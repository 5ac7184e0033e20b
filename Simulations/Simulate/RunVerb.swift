internal import ArgumentParser
internal import EngineAdapters
internal import EngineKit
internal import Foundation
internal import Interleavings
internal import Scenarios
internal import SimulationFormats
internal import SimulationKit

/// `simulate run`: a campaign.
struct RunVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs tapes of scenarios and reports what did not hold.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Scenarios, as `simulate list` names them.")
  var scenarios: [String] = []
  @Flag(help: "Every scenario but the long ones and those that must fail.")
  var all = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: "The campaign's seed. The same seed gives the same trace hash.")
  var seed: UInt64 = 1
  @Option(help: "Tapes of each scenario.")
  var tapes = 100
  @Option(help: "Engine calls of one tape.")
  var operations = 1000
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Flag(help: "Run each tape twice and report the first event that differs.")
  var twice = false
  @Option(help: "How the result is printed: text or json.")
  var format = Format.text
  @Flag(help: "Fail when a fault class, a fault point or a probe was never met.")
  var requireCoverage = false
  @Option(help: "End after so many seconds and judge the tapes run until then.")
  var seconds: Double?
  @Flag(help: "Begin no more tapes when one has failed.")
  var untilFailure = false
  @Option(help: "Where failing tapes and the report are written.")
  var output = "Simulations/Failures"

  func validate() throws {
    if scenarios.isEmpty && !all {
      throw ValidationError("name a scenario (see `simulate list`), or say --all")
    }
    if tapes < 1 || operations < 1 || jobs < 1 {
      throw ValidationError("--tapes, --operations and --jobs must be at least 1")
    }
    if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be above 0") }
  }

  func run() throws {
    let factory = try Lookup.engine(engine)
    let (chosen, skipped) = try choose(for: factory)
    let plan = CampaignPlan(
      scenarios: chosen, skipped: skipped, factory: factory, seed: seed, tapes: tapes,
      options: TapeOptions(operations: operations), jobs: jobs, twice: twice, seconds: seconds,
      output: output, endsAtFailure: untilFailure)
    Console.error(
      "simulate: \(chosen.count) scenarios x \(tapes) tapes x \(operations) operations on "
        + "\(factory.name), seed \(seed), \(jobs) \(jobs == 1 ? "worker" : "workers")")
    var report = try CampaignRunner(plan).run()
    let gaps = report.gaps(for: factory) + skipped.map { "skipped: \($0)" }
    if requireCoverage { report.coverageGaps = gaps }
    try print(report)
    if report.verdict == .invalid || !report.coverageGaps.isEmpty { throw ExitStatus.violated }
    if report.verdict == .unknown { throw ExitStatus.inconclusive }
  }

  private func print(_ report: CampaignReport) throws {
    do {
      switch format {
      case .json: Console.result(try CampaignJSON(report).encoded())
      case .text:
        let page = "\(output)/report-\(report.engine)-\(report.seed).html"
        try Lookup.write(ReportPage(report).html, to: page)
        Console.result(ReportText(report).text + "\nreport   \(page)")
      }
    } catch let error as FormatError {
      throw UsageFailure(error.description)
    }
  }

  /// The scenarios asked for; with `--all`, also why some of them cannot run.
  private func choose(
    for factory: any EngineFactory
  ) throws -> (chosen: [Scenario], skipped: [String]) {
    var chosen: [Scenario] = []
    var skipped: [String] = []
    for name in scenarios {
      let scenario = try Lookup.scenario(name)
      if let obstacle = scenario.obstacle(for: factory) { throw UsageFailure(obstacle) }
      if !chosen.contains(where: { $0.name == name }) { chosen.append(scenario) }
    }
    if all {
      for scenario in Catalogue.usual where !chosen.contains(where: { $0.name == scenario.name }) {
        if let obstacle = scenario.obstacle(for: factory) {
          skipped.append("\(scenario.name): \(obstacle)")
        } else {
          chosen.append(scenario)
        }
      }
    }
    if chosen.isEmpty { throw UsageFailure("nothing to run: \(skipped.joined(separator: "; "))") }
    return (chosen, skipped)
  }
}

/// Finding and keeping things by name, with one clear line where that fails.
enum Lookup {
  static func engine(_ name: String) throws -> any EngineFactory {
    if let factory = EngineRegistry.named(name) { return factory }
    let known = EngineRegistry.all.map(\.name).joined(separator: ", ")
    throw UsageFailure("there is no engine \"\(name)\"; there are \(known)")
  }

  /// A scenario, or a family of concurrent programs.
  static func subject(_ name: String) throws -> any TapeSubject {
    if let program = ProgramCatalogue.named(name) { return program }
    return try scenario(name)
  }

  static func scenario(_ name: String) throws -> Scenario {
    if let scenario = Catalogue.named(name) { return scenario }
    throw UsageFailure("there is no scenario \"\(name)\"; see `simulate list`")
  }

  /// Reads a saved tape.
  static func tape(_ path: String) throws -> TapeFile {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw UsageFailure("cannot read \(path)")
    }
    do {
      return try TapeFile(json: String(decoding: data, as: UTF8.self))
    } catch {
      throw UsageFailure("\(path): \(error.description)")
    }
  }

  /// Where a failing tape is saved. The engine that all this is for goes unnamed.
  static func failurePath(
    _ directory: String, _ scenario: String, _ engine: String, _ seed: UInt64
  ) -> String {
    "\(directory)/\(scenario)-\(engine == "luge" ? "" : "\(engine)-")\(seed).json"
  }

  /// Writes a whole file, making its directory where needed.
  static func write(_ text: String, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url, options: .atomic)
    } catch {
      throw UsageFailure("cannot write \(path): \(error.localizedDescription)")
    }
  }
}
