internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import SimulationKit

/// `simulate damage`: a small database, damaged in every place in turn.
struct DamageVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "damage",
    abstract:
      "Flips every bit of a database, cuts its files, takes files and sectors away, forges checksums.",
    discussion: """
      Every damaged database is opened, read by keys and in both directions, verified and closed. Damage must be \
      reported, or be harmless for a reason: there is another copy, the bytes belong to nothing, or they lie in \
      the last group of the redo, which after a kill may be taken for a torn tail. Wrong data, a trap, a hang and \
      harm that nobody noticed are violations. A forgery is a flipped bit under a checksum that is right again: \
      nobody can tell, but nothing may trap or hang, an error must have a reason, and forward must be backward.
      """)

  @Argument(help: "Databases: \(DatabaseRecipe.all.map(\.name).joined(separator: ", ")).")
  var databases: [String] = []
  @Flag(help: "All of them.")
  var all = false
  @Flag(help: "Flip bits only.")
  var flips = false
  @Flag(help: "Cut files only.")
  var cuts = false
  @Flag(help: "Remove files only.")
  var removals = false
  @Flag(help: "Make sectors unreadable only.")
  var sectors = false
  @Flag(help: "Flip bits and put the checksum right only.")
  var forgeries = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: "Which bit, where one of each byte is flipped.")
  var seed: UInt64 = 1
  @Option(help: "Run one of so many trials.")
  var every = 1
  @Option(help: "Run this trial alone, and say what came of it.")
  var only: Int?
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Option(help: "How the result is printed: text or json.")
  var format = RunVerb.Format.text

  func validate() throws {
    if databases.isEmpty && !all { throw ValidationError("name a database, or say --all") }
    if every < 1 { throw ValidationError("--every must be at least 1") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if only != nil, databases.count != 1 || kinds.count != 1 {
      throw ValidationError(
        "--only needs one database, and --flips, --cuts, --removals, --sectors or --forgeries")
    }
  }

  func run() throws {
    let factory = try Lookup.engine(engine)
    var reports: [TrialReport] = []
    for name in all ? DatabaseRecipe.all.map(\.name) : databases {
      for kind in kinds {
        let trials = try DamageTrials(name, on: factory, kind: kind, seed: seed, every: every)
        if let only {
          try runOne(trials, only)
          return
        }
        // An engine that does not say where its checksums are.
        if trials.count == 0 { continue }
        reports.append(try run(trials, name, kind))
        if kind == kinds[0] { reports[reports.count - 1].take(census: trials, factory) }
        if format == .text { Console.result(reports[reports.count - 1].text) }
      }
    }
    if format == .json { Console.result(try TrialReport.json(reports)) }
    if reports.contains(where: \.isViolated) { throw ExitStatus.violated }
  }

  private var kinds: [TrialKind] {
    let chosen = [
      (flips, TrialKind.flips), (cuts, .cuts), (removals, .removals), (sectors, .sectors),
      (forgeries, .forgeries),
    ]
    let named = chosen.filter(\.0).map(\.1)
    return named.isEmpty ? chosen.map(\.1) : named
  }

  private func run(
    _ trials: DamageTrials, _ name: String, _ kind: TrialKind
  ) throws -> TrialReport {
    let bytes = trials.trial.dish.image.byteCount
    let what =
      switch kind {
      case .cuts: "cuts"
      case .removals: "removed files"
      case .sectors: "unreadable sectors"
      case .forgeries: "flipped bits under right checksums"
      default: "flipped bits"
      }
    Console.error("simulate: \(trials.count) \(what) of \(name), \(bytes) bytes, on \(engine)")
    let runner = TrialRunner(
      [
        "trials", "--kind", kind.rawValue, "--engine", engine, "--subject", name, "--seed",
        String(seed), "--every", String(every),
      ], count: trials.count, jobs: jobs, noun: what)
    var sum = try runner.run()
    sum.name(by: trials)
    return TrialReport(
      title: "\(name), \(bytes) bytes: \(what)", engine: engine, sum: sum, seconds: runner.seconds)
  }

  private func runOne(_ trials: DamageTrials, _ index: Int) throws {
    guard index >= 0, index < trials.count else {
      throw UsageFailure("there are trials 0 to \(trials.count - 1)")
    }
    Console.result(trials.describe(index))
    alarm(TrialsVerb.patience)
    let result = trials.run(index)
    Console.result("\(result.outcome): \(result.violation ?? "as it should be")")
    if result.violation != nil { throw ExitStatus.violated }
  }
}
