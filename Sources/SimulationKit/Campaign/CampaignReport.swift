public import EngineKit

/// What a campaign came to.
public struct CampaignReport: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    case valid, invalid, unknown
  }

  public var engine: String
  public var seed: UInt64
  public var scenarios: [ScenarioSummary] = []
  /// Scenarios that this engine cannot run, and why.
  public var skipped: [String] = []
  public var counters = TapeCounters()
  /// Over the trace hashes of all tapes, in the order of scenarios and tapes.
  public var traceHash = ""
  /// Processor time of all workers.
  public var cpuSeconds: Double = 0
  public var failures: [CampaignFailure] = []
  /// Failing tapes by the property that failed first, in ascending order of names.
  public var failingTapes: [NamedCount] = []
  /// Failing tapes beyond those in `failures`, which were neither shrunk nor saved.
  public var furtherFailures = 0
  public var inconclusiveTapes = 0
  /// Why the first of them says nothing.
  public var inconclusive: String?
  /// What a campaign with `--require-coverage` should have met and did not.
  public var coverageGaps: [String] = []

  /// Tapes that one core runs in an hour; 0 where nothing was run.
  public var tapesPerCoreHour: Double {
    cpuSeconds > 0 ? Double(counters.tapes) / cpuSeconds * 3600 : 0
  }

  public init(engine: String, seed: UInt64) {
    self.engine = engine
    self.seed = seed
  }

  public var verdict: Verdict {
    if !failures.isEmpty || furtherFailures > 0 { return .invalid }
    return inconclusiveTapes > 0 || counters.tapes == 0 ? .unknown : .valid
  }

  /// Of concurrent programs; see `ScenarioSummary.distinctStates`. No two scenarios share one.
  public var distinctStates: Int { scenarios.reduce(0) { $0 + $1.distinctStates } }

  /// Of several campaigns together: invalid if one is, else unknown if one is.
  public static func worst(of reports: [CampaignReport]) -> Verdict {
    let verdicts = reports.map(\.verdict)
    return verdicts.contains(.invalid)
      ? .invalid : verdicts.contains(.unknown) || reports.isEmpty ? .unknown : .valid
  }

  /// What an engine declares and no tape met: classes of its fault contract, fault points, probes.
  public func gaps(for factory: any EngineFactory) -> [String] {
    var gaps: [String] = []
    for (index, fault) in FaultClass.allCases.enumerated()
    where factory.faultContract[fault] != .outOfScope && counters.faults[index] == 0 {
      gaps.append("fault class \(fault.rawValue) never met a call")
    }
    for point in counters.faultPoints where point.count == 0 {
      gaps.append("fault point \(point.name) never fired")
    }
    for probe in counters.probes where probe.count == 0 {
      gaps.append("probe \(probe.name) was never hit")
    }
    return gaps
  }
}

/// One scenario's share of a campaign.
public struct ScenarioSummary: Equatable, Sendable {
  public var name: String
  public var counters = TapeCounters()
  public var failingTapes = 0
  /// Of concurrent programs: ways in which rounds came out that differ in their calls, answers or contents afterwards.
  public var distinctStates = 0
  public var cpuSeconds: Double = 0
  public init(name: String) { self.name = name }
}

/// A failing tape of a campaign: shrunk and saved.
public struct CampaignFailure: Equatable, Sendable {
  public var property: String
  public var detail: String
  public var step: Int
  public var scenario: String
  public var engine: String
  public var seed: UInt64
  /// Number of the tape in its scenario.
  public var index: Int
  /// Where the tape was saved; nil when it was not.
  public var file: String?
  public var operationsBefore: Int
  /// Operations of the shrunk tape; equal to `operationsBefore` when it could not be shrunk.
  public var operationsAfter: Int
  public var faultsAfter: Int
  public var threadSwitchesAfter: Int

  public init(
    _ failure: Failure, scenario: String, engine: String, seed: UInt64, index: Int,
    counters: TapeCounters
  ) {
    self.property = failure.property
    self.detail = failure.detail
    self.step = failure.step
    self.scenario = scenario
    self.engine = engine
    self.seed = seed
    self.index = index
    self.operationsBefore = counters.operations
    self.operationsAfter = counters.operations
    self.faultsAfter = counters.totalFaults
    self.threadSwitchesAfter = counters.chosenSwitches
  }

  /// Notes what shrinking left.
  public mutating func shrunk(to counters: TapeCounters) {
    operationsAfter = counters.operations
    faultsAfter = counters.totalFaults
    threadSwitchesAfter = counters.chosenSwitches
  }

  /// As people read it: property, one command, what is left of it.
  public var text: String { text(replay: "swift run -c release simulate replay") }

  /// The same, with the command that replays a file in the build that made it.
  public func text(replay: String) -> String {
    var lines = ["FAILED   \(property): \(detail), at step \(step)"]
    if let file {
      lines.append("replay   \(replay) \(file)")
    }
    lines.append(
      "shrunk   \(operationsBefore) -> \(operationsAfter) operations, "
        + "\(CampaignFailure.count(faultsAfter, "fault")), "
        + CampaignFailure.count(threadSwitchesAfter, "thread switch", "thread switches"))
    return lines.joined(separator: "\n")
  }

  private static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number) \(number == 1 ? one : many ?? one + "s")"
  }
}

extension TapeCounters {
  /// Faults of all classes. A power loss is one fault, and what it does to sectors is counted besides.
  public var totalFaults: Int { faults.reduce(0, +) }

  /// Of concurrent programs, the switches that the schedule chose: threads that begin, wait and end make others.
  var chosenSwitches: Int { schedules > 0 ? preemptions : threadSwitches }
}
