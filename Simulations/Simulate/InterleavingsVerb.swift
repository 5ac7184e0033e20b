internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import Interleavings
internal import SimulationFormats
internal import SimulationKit

/// `simulate interleavings`: small concurrent programs, with a switch of threads possible at every access to
/// shared memory.
struct InterleavingsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "interleavings",
    abstract: "Runs small concurrent programs in many interleavings and checks every answer.",
    discussion: "Needs a build with the trait SchedulePoints; ci/interleavings makes one.")

  @Argument(help: "Programs, as `simulate list` names them.")
  var scenarios: [String] = []
  @Flag(help: "Every program.")
  var all = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: "random, pct, or exhaustive: every schedule of every pair with few preemptions; without it the tape says.")
  var strategy: Strategy?
  @Option(help: "Tapes of each program.")
  var tapes = 500
  @Option(help: "The campaign's seed. The same seed gives the same trace hash.")
  var seed: UInt64 = 1
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Flag(help: "Run each tape twice and report the first event that differs.")
  var twice = false
  @Option(help: "How the result is printed: text or json.")
  var format = RunVerb.Format.text
  @Option(help: "End after so many seconds and judge the tapes run until then.")
  var seconds: Double?
  @Flag(help: "Begin no more tapes when one has failed.")
  var untilFailure = false
  @Option(help: "Where failing tapes are written.")
  var output = "Simulations/Failures"

  func validate() throws {
    if scenarios.isEmpty && !all {
      throw ValidationError("name a program (see `simulate list`), or say --all")
    }
    if tapes < 1 || jobs < 1 { throw ValidationError("--tapes and --jobs must be at least 1") }
    if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be above 0") }
  }

  mutating func run() throws {
    if strategy == .exhaustive { tapes = PairExploration.slices }
    try BuildFlavour.requireSchedulePoints(
      for: "interleavings " + CommandLine.arguments.dropFirst(2).joined(separator: " "))
    let factory = try Lookup.engine(engine)
    let plan = CampaignPlan(
      scenarios: try choose(for: factory), skipped: [], factory: factory, seed: seed, tapes: tapes,
      options: TapeOptions(strategy: strategy?.name), jobs: jobs, twice: twice, seconds: seconds,
      output: output, endsAtFailure: untilFailure)
    Console.error(
      "simulate: \(plan.scenarios.count) programs x \(tapes) tapes on \(factory.name), "
        + "\(strategy?.rawValue ?? "random and pct"), seed \(seed), "
        + "\(jobs) \(jobs == 1 ? "worker" : "workers")")
    let report = try CampaignRunner(plan).run()
    do {
      switch format {
      case .json: Console.result(try InterleavingsJSON(report).encoded())
      case .text: Console.result(InterleavingsText(report).text)
      }
    } catch {
      throw UsageFailure(error.description)
    }
    if report.verdict == .invalid { throw ExitStatus.violated }
    if report.verdict == .unknown { throw ExitStatus.inconclusive }
  }

  private func choose(for factory: any EngineFactory) throws -> [any TapeSubject] {
    let everything = strategy == .exhaustive ? ProgramCatalogue.pairs : ProgramCatalogue.all
    var chosen: [InterleavingScenario] = all ? everything : []
    for name in scenarios where !chosen.contains(where: { $0.name == name }) {
      guard let program = ProgramCatalogue.named(name) else {
        throw UsageFailure("there is no program \"\(name)\"; see `simulate list`")
      }
      chosen.append(program)
    }
    if let other = chosen.first(where: { ($0.pair != nil) != (strategy == .exhaustive) }) {
      throw UsageFailure("\(other.name) cannot be run with this strategy: pairs are explored exhaustively")
    }
    for program in chosen {
      if let obstacle = program.obstacle(for: factory) { throw UsageFailure(obstacle) }
    }
    return chosen
  }
}

/// A strategy as an argument.
enum Strategy: String, ExpressibleByArgument, CaseIterable {
  case random, pct, exhaustive
  var name: StrategyName {
    switch self {
    case .random: .random
    case .pct: .pct
    case .exhaustive: .exhaustive
    }
  }
}

/// What this program was built with, and the command that builds it otherwise.
enum BuildFlavour {
  static var hasSchedulePoints: Bool {
    #if SchedulePoints
      return true
    #else
      return false
    #endif
  }

  /// The command line that runs `simulate` in the build with schedule points, or in the ordinary one.
  static func command(schedulePoints: Bool, _ arguments: String) -> String {
    let build =
      schedulePoints
      ? "swift run -c release --traits SchedulePoints --scratch-path .build-schedules"
      : "swift run -c release"
    return "\(build) simulate \(arguments)"
  }

  static func requireSchedulePoints(for arguments: String) throws {
    if hasSchedulePoints { return }
    throw UsageFailure(
      "this build has no schedule points; run\n"
        + command(schedulePoints: true, arguments))
  }
}
