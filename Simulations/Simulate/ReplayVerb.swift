internal import ArgumentParser
internal import EngineKit
internal import HistoryKit
internal import SimulationFormats
internal import SimulationKit

/// `simulate replay FILE`: runs a saved tape.
struct ReplayVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Runs a saved tape again.",
    discussion: "Exits with 1 when it still fails, with 0 when everything held.")

  @Argument(help: "The file that a failing campaign saved.")
  var file: String
  @Flag(help: "Print every event of the run.")
  var trace = false

  @Flag(help: "Print the last operations, faults and crashes.")
  var history = false
  @Option(help: "Write the last operations as a page to this file.")
  var page: String?

  func run() throws {
    let saved = try Saved(file)
    let result = saved.run(keepsEvents: trace || history || page != nil)
    if history { for line in result.history?.lines ?? [] { Console.result(line) } }
    if let page { try Lookup.write(historyPage(saved, result), to: page) }
    if trace { for event in result.events { Console.result(event) } }
    if result.failures.isEmpty {
      Console.result(
        "HELD     \(saved.scenario.name) on \(saved.factory.name): "
          + "\(result.counters.operations) operations, trace \(result.traceHash)")
      return
    }
    for failure in result.failures {
      Console.result(
        Console.coloured("FAILED", .red)
          + "   \(failure.property): \(failure.detail), at step \(failure.step)")
    }
    Console.result(
      "tape     \(result.counters.operations) operations, faults: \(result.counters.totalFaults), "
        + "thread switches: \(result.counters.threadSwitches), trace \(result.traceHash)")
    if !result.failures.contains(where: { $0.property == saved.tape.property }) {
      Console.error("note: the tape was saved for the property \(saved.tape.property)")
    }
    throw ExitStatus.violated
  }

  private func historyPage(_ saved: Saved, _ result: TapeResult) -> String {
    let report = HistoryReport(
      verdict: result.inconclusive != nil ? .unknown : result.failures.isEmpty ? .valid : .invalid,
      scenario: saved.scenario.name, engine: saved.factory.name,
      violations: result.failures.map {
        Violation(property: $0.property, detail: $0.detail, step: $0.step)
      },
      replayCommand: BuildFlavour.command(
        schedulePoints: BuildFlavour.hasSchedulePoints, "replay \(file)"),
      facts: [
        .init("operations", "\(result.counters.operations)"),
        .init("faults met", "\(result.counters.totalFaults)"),
        .init("thread switches", "\(result.counters.threadSwitches)"),
        .init("trace", result.traceHash),
      ])
    return report.html(result.history ?? History())
  }
}

/// A tape file and what it names.
struct Saved {
  let tape: TapeFile
  let scenario: any TapeSubject
  let factory: any EngineFactory

  init(_ path: String) throws {
    tape = try Lookup.tape(path)
    scenario = try Lookup.subject(tape.scenario)
    factory = try Lookup.engine(tape.engine)
    if let obstacle = scenario.obstacle(for: factory) { throw UsageFailure(obstacle) }
    let wantsPoints = tape.build.hasSuffix("+SchedulePoints")
    if wantsPoints != BuildFlavour.hasSchedulePoints {
      throw UsageFailure(
        "\(path) was saved by a \(tape.build) build, this is a \(TapeFile.currentBuild) one; run\n"
          + BuildFlavour.command(
            schedulePoints: wantsPoints, CommandLine.arguments.dropFirst().joined(separator: " ")))
    }
    if tape.build != TapeFile.currentBuild {
      Console.error("note: saved by a \(tape.build) build, this is a \(TapeFile.currentBuild) one")
    }
  }

  var options: TapeOptions {
    TapeOptions(operations: tape.operations, strategy: tape.strategy)
  }

  func run(keepsEvents: Bool = false) -> TapeResult {
    let driver: any ChoiceDriver =
      tape.choices.map { ReplayDriver($0) } ?? SeededDriver(seed: tape.seed)
    var options = options
    options.keepsEvents = keepsEvents
    return TapeRunner.run(scenario, factory, driver: driver, options: options)
  }
}
