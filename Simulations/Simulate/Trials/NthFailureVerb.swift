internal import ArgumentParser
internal import EngineKit
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
  @OptionGroup var trials: TrialOptions

  func validate() throws {
    if runs.isEmpty && !all { throw ValidationError("name a run, or say --all") }
    if trials.only != nil, runs.count != 1 { throw ValidationError("--only needs one run") }
  }

  func run() throws {
    let factory = try Lookup.engine(engine)
    if !factory.capabilities.contains(.simulatable) {
      throw UsageFailure("\(engine) runs on real files only")
    }
    var reports: [TrialReport] = []
    for name in all ? FailureRuns.all.map(\.name) : runs {
      let set = try NthFailureTrials(name, on: factory, every: trials.every)
      if let only = trials.only {
        try trials.run(only, of: set, namesGroup: true)
        return
      }
      let report = try trials.run(
        set, .failures, of: name, on: engine, seed: 1, title: "\(name): \(set.count) failures",
        noun: "failures of \(name)")
      trials.show(report)
      reports.append(report)
    }
    try trials.conclude(reports)
  }
}
