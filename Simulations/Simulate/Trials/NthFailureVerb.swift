internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import SimulationKit

/// `simulate nth-failure`: every call of short runs fails in turn.
struct NthFailureVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nth-failure",
    abstract: "Lets every call of the file system fail in turn, in short runs.",
    discussion: """
      Each call of a run fails once, and from then on, in every way that it can: with EIO, with EIO after a part was \
      written, with ENOSPC, short, as a sync that drops what it was to write. Openings, recoveries and closings are \
      part of the runs. Afterwards the process is closed or killed, or the power takes what was not synced; then the \
      disk is whole again, and the database must open, hold what it promised, and take writes.
      """)

  @Argument(help: "Runs.")
  var runs: [String] = []
  @Flag(help: "All of them.")
  var all = false
  @Option(help: "The engine under test.")
  var engine = "luge"
  @Option(help: "Run one of so many trials.")
  var every = 1
  @Option(help: "Run this trial alone, and say what came of it.")
  var only: Int?
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Option(help: "How the result is printed: text or json.")
  var format = RunVerb.Format.text

  func validate() throws {
    if runs.isEmpty && !all { throw ValidationError("name a run, or say --all") }
    if every < 1 { throw ValidationError("--every must be at least 1") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if only != nil, runs.count != 1 { throw ValidationError("--only needs one run") }
  }

  func run() throws {
    let factory = try Lookup.engine(engine)
    if !factory.capabilities.contains(.simulatable) {
      throw UsageFailure("\(engine) runs on real files only")
    }
    var reports: [TrialReport] = []
    for name in all ? FailureRuns.all.map(\.name) : runs {
      let trials = try NthFailureTrials(name, on: factory, every: every)
      if let only {
        try runOne(trials, only)
        return
      }
      let runner = TrialRunner(
        [
          "trials", "--kind", "failures", "--engine", engine, "--subject", name, "--seed", "1",
          "--every", String(every),
        ], count: trials.count, jobs: jobs, noun: "failures of \(name)")
      var sum = try runner.run()
      sum.name(by: trials)
      let report = TrialReport(
        title: "\(name): \(trials.count) failures", engine: engine, sum: sum,
        seconds: runner.seconds)
      if format == .text { Console.result(report.text) }
      reports.append(report)
    }
    if format == .json { Console.result(try TrialReport.json(reports)) }
    if reports.contains(where: \.isViolated) { throw ExitStatus.violated }
  }

  private func runOne(_ trials: NthFailureTrials, _ index: Int) throws {
    guard index >= 0, index < trials.count else {
      throw UsageFailure("there are trials 0 to \(trials.count - 1)")
    }
    Console.result(trials.describe(index))
    alarm(TrialsVerb.patience)
    let result = trials.run(index)
    Console.result("\(result.group): \(result.outcome): \(result.violation ?? "as it should be")")
    if result.violation != nil { throw ExitStatus.violated }
  }
}
