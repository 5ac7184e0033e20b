internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import SimulationKit

/// The hidden verb that `damage` and `nth-failure` start: reads requests, runs trials, answers, a line each.
struct TrialsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trials", abstract: "Runs trials for another verb.", shouldDisplay: false)

  @Option var kind: TrialKind
  @Option var engine: String
  @Option var subject: String
  @Option var seed: UInt64
  @Option var every = 1

  /// Seconds after which a trial counts as one that does not end.
  static let patience: UInt32 = 20

  func run() throws {
    let trials = try kind.make(
      subject, on: Lookup.engine(engine), seed: seed, every: every)
    try WorkerLines.serve(TrialRequest.self) { request in
      try WorkerLines.answer(Self.run(trials, request))
      return true
    }
  }

  static func run(_ trials: any TrialSet, _ request: TrialRequest) -> TrialReply {
    let began = WorkerVerb.cpuSeconds
    var reply = TrialReply()
    for index in request.first..<request.first + request.count {
      // Set anew for each: the patience is with one trial.
      alarm(patience)
      let result = trials.run(index)
      reply.add(result.group, result.outcome, 1)
      reply.done += 1
      reply.work += result.work
      if let violation = result.violation {
        reply.violations.append(
          TrialReply.Violation(
            index: index, group: result.group, what: trials.describe(index),
            command: trials.command(index), detail: violation))
      }
    }
    alarm(0)
    reply.cpuSeconds = WorkerVerb.cpuSeconds - began
    return reply
  }
}

/// What trials there are.
enum TrialKind: String, ExpressibleByArgument, CaseIterable {
  case flips, cuts, removals, sectors, forgeries
  case failures

  func make(
    _ subject: String, on factory: any EngineFactory, seed: UInt64, every: Int
  ) throws -> any TrialSet {
    switch self {
    case .flips, .cuts, .removals, .sectors, .forgeries:
      try DamageTrials(
        subject, on: factory, kind: self, seed: seed, every: every)
    case .failures: try NthFailureTrials(subject, on: factory, every: every)
    }
  }
}
