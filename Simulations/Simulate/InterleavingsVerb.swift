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
    discussion: """
      Needs a build with the trait SchedulePoints; ci/interleavings makes one. --all alone runs every program at \
      random and by PCT, then every schedule with few preemptions of every pair, then single calls by dynamic \
      partial-order reduction; with --tapes, or with --strategy random or pct, the programs alone. Only \
      interleavings are explored: every thread sees every write at once. What weakly ordered memory does besides \
      is not covered (ci/sanitize runs real threads under the thread sanitizer).
      """)

  @Argument(help: "Programs, pairs or single calls, as `simulate list` names them.")
  var scenarios: [String] = []
  @Flag(help: "All of them.")
  var all = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: ArgumentHelp(Strategy.help))
  var strategy: Strategy?
  @Option(help: "Tapes of each program. (default: 500)")
  var tapes: Int?
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
    if let tapes, tapes < 1 { throw ValidationError("--tapes must be at least 1") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be above 0") }
  }

  mutating func run() throws {
    try BuildFlavour.requireSchedulePoints(
      for: "interleavings " + CommandLine.arguments.dropFirst(2).joined(separator: " "))
    let factory = try Lookup.engine(engine)
    let parts = try choose(for: factory)
    let began = Date()
    var reports: [CampaignReport] = []
    for part in parts {
      let left = seconds.map { max(0.001, $0 - Date().timeIntervalSince(began)) }
      let report = try run(part, on: factory, seconds: left)
      reports.append(report)
      if format == .text { Console.result(InterleavingsText(report, part.kind).text) }
      if untilFailure && report.verdict == .invalid { break }
    }
    try conclude(reports)
  }

  private func run(
    _ part: Part, on factory: any EngineFactory, seconds: Double?
  ) throws -> CampaignReport {
    let tapes = part.tapes(tapes)
    let plan = CampaignPlan(
      scenarios: part.scenarios, skipped: [], factory: factory, seed: seed, tapes: tapes,
      options: TapeOptions(strategy: part.strategy?.name), jobs: jobs, twice: twice,
      seconds: seconds,
      output: output, endsAtFailure: untilFailure)
    Console.error(
      "simulate: \(plan.scenarios.count) \(part.kind.rawValue) x \(tapes) tapes on \(factory.name), "
        + "\(part.strategy?.rawValue ?? "random and pct"), seed \(seed), "
        + "\(jobs) \(jobs == 1 ? "worker" : "workers")")
    return try CampaignRunner(plan).run()
  }

  private func conclude(_ reports: [CampaignReport]) throws {
    if format == .json {
      do {
        Console.result(try InterleavingsJSON.encoded(reports))
      } catch {
        throw UsageFailure(error.description)
      }
    }
    let verdict = CampaignReport.worst(of: reports)
    if format == .text && reports.count > 1 {
      Console.result("\nall of it: \(verdict.rawValue)")
    }
    switch verdict {
    case .valid: return
    case .invalid: throw ExitStatus.violated
    case .unknown: throw ExitStatus.inconclusive
    }
  }

  // MARK: What to run

  /// What is explored in one way.
  private struct Part {
    var kind: InterleavingScenario.Kind
    var scenarios: [any TapeSubject]
    /// Nil: each tape draws one.
    var strategy: Strategy?

    func tapes(_ asked: Int?) -> Int {
      switch kind {
      case .programs: asked ?? 500
      case .pairs: PairExploration.slices
      case .singles: 1
      }
    }
  }

  private func choose(for factory: any EngineFactory) throws -> [Part] {
    var chosen: [InterleavingScenario] = all ? everything : []
    for name in scenarios where !chosen.contains(where: { $0.name == name }) {
      guard let program = ProgramCatalogue.named(name) else {
        throw UsageFailure("there is no program \"\(name)\"; see `simulate list`")
      }
      if let strategy, strategy.kind != program.kind {
        throw UsageFailure(
          "\(name) cannot be run with --strategy \(strategy.rawValue): that is for \(strategy.kind.rawValue)"
        )
      }
      chosen.append(program)
    }
    for program in chosen {
      if let obstacle = program.obstacle(for: factory) { throw UsageFailure(obstacle) }
    }
    return InterleavingScenario.Kind.allCases.compactMap { kind in
      let some = chosen.filter { $0.kind == kind }
      if some.isEmpty { return nil }
      return Part(kind: kind, scenarios: some, strategy: strategy ?? kind.strategy)
    }
  }

  private var everything: [InterleavingScenario] {
    switch strategy?.kind {
    case .programs: ProgramCatalogue.all
    case .pairs: ProgramCatalogue.pairs
    case .singles: ProgramCatalogue.singles
    case nil:
      tapes != nil
        ? ProgramCatalogue.all
        : ProgramCatalogue.all + ProgramCatalogue.pairs + ProgramCatalogue.singles
    }
  }
}

/// A strategy as an argument.
enum Strategy: String, ExpressibleByArgument, CaseIterable {
  case random, pct, exhaustive, dpor

  static let help: String =
    "random or pct, for programs; exhaustive: every schedule of a pair with few preemptions; dpor: one schedule for "
    + "each order of what conflicts, of single calls. Without it a tape draws random or pct."

  var name: StrategyName {
    switch self {
    case .random: .random
    case .pct: .pct
    case .exhaustive: .exhaustive
    case .dpor: .dpor
    }
  }

  /// What it is for.
  var kind: InterleavingScenario.Kind {
    switch self {
    case .random, .pct: .programs
    case .exhaustive: .pairs
    case .dpor: .singles
    }
  }

  /// Its choices are drawn from the tape.
  var isDrawn: Bool { kind == .programs }
}

extension InterleavingScenario.Kind {
  /// The only one for it, if there is only one.
  fileprivate var strategy: Strategy? {
    switch self {
    case .programs: nil
    case .pairs: .exhaustive
    case .singles: .dpor
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
