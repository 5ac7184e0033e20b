internal import ArgumentParser
internal import SimulationFormats
internal import SimulationKit

/// `simulate shrink FILE`: makes a saved tape simpler, in place.
struct ShrinkVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shrink", abstract: "Makes a failing tape simpler; the file is replaced.")

  @Argument(help: "The file that a failing campaign saved.")
  var file: String
  @Option(help: "The most runs to try.")
  var runs = 20_000

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs must be at least 1") }
  }

  func run() throws {
    let saved = try Saved(file)
    let result = saved.run()
    guard let before = result.failures.first else {
      Console.result("HELD     the tape does not fail, so there is nothing to shrink")
      return
    }
    let shrunk = TapeShrinking.shrink(
      result, of: saved.scenario, saved.factory, options: saved.options, maximumRuns: runs)
    let failure = shrunk.failures.first { $0.property == before.property } ?? before
    var tape = saved.tape
    tape.choices = shrunk.choices
    tape.property = failure.property
    tape.detail = failure.detail
    tape.build = TapeFile.currentBuild
    do {
      try Lookup.write(try tape.encoded(), to: file)
    } catch let error as FormatError {
      throw UsageFailure(error.description)
    }
    var report = CampaignFailure(
      failure, scenario: tape.scenario, engine: tape.engine, seed: tape.seed, index: 0,
      counters: result.counters)
    report.file = file
    report.shrunk(to: shrunk.counters)
    Console.result(report.text)
    throw ExitStatus.violated
  }
}
