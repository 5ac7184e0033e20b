internal import EngineKit
internal import SimulationKit

/// Every call of a run fails in turn, in every way that it can, once and for good, with every ending.
final class NthFailureTrials: TrialSet {
  private let run: CrashRun
  private let factory: any EngineFactory
  private let every: Int
  /// By ending, then by place of the kind.
  private let opportunities: [[Int]]

  init(_ name: String, on factory: any EngineFactory, every: Int = 1) throws {
    guard let run = FailureRuns.named(name) else {
      let known = FailureRuns.all.map(\.name).joined(separator: ", ")
      throw UsageFailure("there is no run \"\(name)\"; there are \(known)")
    }
    self.run = run
    self.factory = factory
    self.every = every
    let whole = FailureTrial.perform(run, factory, nil)
    if let violation = whole.violation {
      throw UsageFailure("\(name) does not hold as it is: \(violation)")
    }
    opportunities = PlannedFailure.Ending.allCases.map { ending in
      FailureTrial.opportunities(run, factory, ending)
    }
  }

  /// Each call once and for good.
  private var allTrials: Int { 2 * opportunities.joined().reduce(0, +) }

  var count: Int { (allTrials + every - 1) / every }

  private func failure(_ index: Int) -> PlannedFailure {
    let number = min(allTrials - 1, index * every)
    var left = number / 2
    for (ending, counts) in zip(PlannedFailure.Ending.allCases, opportunities) {
      for (kind, count) in zip(FailureKind.allCases, counts) {
        if left < count {
          return PlannedFailure(
            kind, number: left + 1, isForGood: number % 2 == 1, ending: ending)
        }
        left -= count
      }
    }
    preconditionFailure("there are as many trials as opportunities")
  }

  func run(_ index: Int) -> TrialResult {
    let failure = failure(index)
    let result = FailureTrial.perform(run, factory, failure)
    var violation = result.violation
    if result.outcome == .notMet { violation = "no call met the failure" }
    return TrialResult(
      group: "\(failure.kind.rawValue): \(result.call)", outcome: result.outcome.rawValue,
      violation: violation, work: result.calls)
  }

  func describe(_ index: Int) -> String {
    let failure = failure(index)
    return "\(run.name), call \(failure.number) meets \(failure.kind.rawValue), "
      + "\(failure.isForGood ? "for good" : "once"), then \(failure.ending.rawValue)"
  }

  func command(_ index: Int) -> String {
    let engine = factory.name == "luge" ? "" : " --engine \(factory.name)"
    let every = every == 1 ? "" : " --every \(every)"
    return "simulate nth-failure \(run.name)\(engine)\(every) --only \(index)"
  }
}
