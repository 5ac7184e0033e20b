internal import ArgumentParser
internal import Foundation

/// What the verbs that run trials have in common: which are run, by how many, and how their reports are given.
struct TrialOptions: ParsableArguments {
  @Option(help: "Run one of so many trials.")
  var every = 1
  @Option(help: "Begin at this trial: where an interrupted run of one worker process had come to.")
  var from = 0
  @Option(help: "Run this trial alone, and say what came of it.")
  var only: Int?
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Option(help: "How the result is printed: text or json.")
  var format = RunVerb.Format.text

  func validate() throws {
    if every < 1 { throw ValidationError("--every must be at least 1") }
    if from < 0 { throw ValidationError("--from must be at least 0") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  /// Runs all trials in worker processes. Those make the same trials from kind, subject and seed.
  ///
  /// - Parameter noun: what they are, in the plural.
  func run(
    _ trials: any TrialSet, _ kind: TrialKind, of subject: String, on engine: String,
    seed: UInt64, title: String, noun: String
  ) throws -> TrialReport {
    let runner = TrialRunner(
      [
        "trials", "--kind", kind.rawValue, "--engine", engine, "--subject", subject, "--seed",
        String(seed), "--every", String(every),
      ], trials: min(from, trials.count)..<trials.count, jobs: jobs, noun: noun)
    var sum = try runner.run()
    sum.name(by: trials)
    let title = from == 0 ? title : "\(title), from trial \(from) on"
    return TrialReport(title: title, engine: engine, sum: sum, seconds: runner.seconds)
  }

  /// Runs one in this process.
  func run(_ index: Int, of trials: any TrialSet, namesGroup: Bool) throws {
    guard index >= 0, index < trials.count else {
      throw UsageFailure("there are trials 0 to \(trials.count - 1)")
    }
    Console.result(trials.describe(index))
    alarm(TrialsVerb.patience)
    let result = trials.run(index)
    let group = namesGroup ? "\(result.group): " : ""
    Console.result("\(group)\(result.outcome): \(result.violation ?? "as it should be")")
    if result.violation != nil { throw ExitStatus.violated }
  }

  /// As text each report is printed when it is there, as JSON all at the end.
  func show(_ report: TrialReport) {
    if format == .text { Console.result(report.text) }
  }

  func conclude(_ reports: [TrialReport]) throws {
    if format == .json { Console.result(try TrialReport.json(reports)) }
    if reports.contains(where: \.isViolated) { throw ExitStatus.violated }
  }
}
