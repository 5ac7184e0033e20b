internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import SimulationFormats
internal import SimulationKit

/// The hidden verb that campaigns start: reads requests, runs tapes, answers, a line each.
struct WorkerVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Runs tapes for a campaign.", shouldDisplay: false)

  @Option var engine: String
  @Option var seed: UInt64
  @Option var operations: Int
  @Option var output: String
  @Option var strategy: Strategy?
  @Flag var twice = false

  /// Seconds after which a tape counts as one that does not end.
  static let patience: UInt32 = 120
  /// Runs and seconds that shrinking one tape may take.
  static let shrinkingRuns = 20_000
  static let shrinkingSeconds = 30.0

  func run() throws {
    let factory = try Lookup.engine(engine)
    try WorkerLines.serve(WorkerRequest.self) { request in
      switch request {
      case .run(let name, let first, let count):
        let scenario = try Lookup.subject(name)
        for index in first..<first + count {
          let reply = try reply(scenario, index, factory)
          try WorkerLines.answer(reply)
          if reply.isLast { return false }
        }
      case .shrink(let name, let index):
        try WorkerLines.answer(try shrink(try Lookup.subject(name), index, factory))
      }
      return true
    }
  }

  private func reply(
    _ scenario: any TapeSubject, _ index: Int, _ factory: any EngineFactory
  ) throws -> WorkerReply {
    let began = WorkerVerb.cpuSeconds
    alarm(WorkerVerb.patience)
    defer { alarm(0) }
    let result = run(scenario, index, factory, keepsEvents: false)
    var reply = WorkerReply(
      scenario: scenario.name, index: index, result: TapeSummary(result),
      cpuSeconds: WorkerVerb.cpuSeconds - began)
    reply.isLast = result.failures.contains { $0.property == "trap" }
    return reply
  }

  private func run(
    _ scenario: any TapeSubject, _ index: Int, _ factory: any EngineFactory, keepsEvents: Bool
  ) -> TapeResult {
    let tapeSeed = TapeSeed.seed(campaign: seed, scenario: scenario.name, index: index)
    let options = TapeOptions(
      operations: operations, keepsEvents: keepsEvents, strategy: strategy?.name)
    if let program = scenario as? InterleavingScenario, let pair = program.pair {
      // Each schedule is to end, not all of them.
      let beat = { _ = alarm(WorkerVerb.patience) }
      if pair.isSingle {
        var exploration = TraceExploration(program, factory, options: options)
        return exploration.run(beat: beat)
      }
      var exploration = PairExploration(program, factory, slice: index, options: options)
      return exploration.run(beat: beat)
    }
    if twice {
      return TapeRunner.runTwice(scenario, factory, seed: tapeSeed, options: options)
    }
    return TapeRunner.run(
      scenario, factory, driver: SeededDriver(seed: tapeSeed), options: options)
  }

  private func shrink(
    _ scenario: any TapeSubject, _ index: Int, _ factory: any EngineFactory
  ) throws -> WorkerReply {
    let began = WorkerVerb.cpuSeconds
    alarm(WorkerVerb.patience + UInt32(WorkerVerb.shrinkingSeconds))
    defer { alarm(0) }
    let result = run(scenario, index, factory, keepsEvents: false)
    guard let failure = result.failures.first else {
      return WorkerReply(
        scenario: scenario.name, index: index, result: TapeSummary(result), cpuSeconds: 0)
    }
    let seed = TapeSeed.seed(campaign: seed, scenario: scenario.name, index: index)
    let isTrap = failure.property == "trap"
    let shrunk = TapeShrinking.shrink(
      result, of: scenario, factory,
      options: TapeOptions(
        operations: operations, strategy: strategy?.isDrawn == true ? strategy?.name : nil),
      maximumRuns: WorkerVerb.shrinkingRuns,
      shouldStop: { WorkerVerb.cpuSeconds - began > WorkerVerb.shrinkingSeconds },
      run: isTrap ? { ForkedRun.run($0, $1, driver: $2, options: $3) } : nil)
    let tape = TapeFile(
      scenario: scenario.name, engine: factory.name, operations: operations, seed: seed,
      property: failure.property,
      detail: shrunk.failures.first { $0.property == failure.property }?.detail ?? failure.detail,
      choices: shrunk.choices, strategy: strategy?.name)
    let path = Lookup.failurePath(output, scenario.name, factory.name, seed)
    do {
      try Lookup.write(try tape.encoded(), to: path)
    } catch let error as FormatError {
      throw UsageFailure(error.description)
    }
    return WorkerReply(
      scenario: scenario.name, index: index, result: TapeSummary(result), file: path,
      shrunk: TapeSummary(shrunk), cpuSeconds: WorkerVerb.cpuSeconds - began)
  }

  /// Processor time of this process and of the children that it has waited for, in seconds.
  static var cpuSeconds: Double {
    var seconds = 0.0
    // RUSAGE_SELF and RUSAGE_CHILDREN, whose types differ from one C library to the next.
    for whose in [0, -1] as [Int32] {
      var usage = rusage()
      // It is written within the call, and lives longer.
      guard unsafe getrusage(whose, &usage) == 0 else { continue }
      seconds += Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      seconds += Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
    return seconds
  }
}
