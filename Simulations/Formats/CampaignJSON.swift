internal import EngineKit
internal import Foundation
public import SimulationKit

/// The one object that `simulate run --format json` prints.
///
/// `verdict` is "valid", "invalid" or "unknown". Counts are totals over all tapes; `traceHash`
/// depends on seed, engine, scenarios, tapes and operations, not on the number of workers.
public struct CampaignJSON: Codable, Sendable {
  public struct Failure: Codable, Sendable {
    public var property, detail, scenario, engine, seed: String
    public var step, index: Int
    public var file: String?
    public var operationsBefore, operationsAfter, faultsAfter, threadSwitchesAfter: Int
  }
  public struct ScenarioCounts: Codable, Sendable {
    public var name: String
    public var tapes, operations, crashes, recoveries, failures: Int
    public var cpuSeconds: Double
  }
  public struct Bucket: Codable, Sendable {
    /// Least number of unsynced sectors of this bucket; it ends where the next begins.
    public var from: Int
    public var crashes: Int
  }

  public var verdict, engine, seed, build, traceHash: String
  public var tapes, operations, crashes, recoveries, threadSwitches, reportedDamage: Int
  public var crashesByKind: [String: Int]
  public var crashesWithPendingSectors, crashesDuringRecovery: Int
  public var pendingSectorsAtCrash: [Bucket]
  public var faults, faultPoints, probes, failingTapes: [String: Int]
  public var faultPointsNeverFired, probesHit, probesNeverHit: [String]
  public var cpuSeconds, tapesPerCoreHour: Double
  public var failures: [Failure]
  public var furtherFailures, inconclusiveTapes: Int
  public var coverageGaps, skipped: [String]
  public var scenarios: [ScenarioCounts]

  public init(_ report: CampaignReport) {
    let counters = report.counters
    verdict = report.verdict.rawValue
    engine = report.engine
    seed = String(report.seed)
    build = TapeFile.currentBuild
    traceHash = report.traceHash
    tapes = counters.tapes
    operations = counters.operations
    crashes = counters.crashes
    recoveries = counters.recoveries
    threadSwitches = counters.threadSwitches
    reportedDamage = counters.reportedDamage
    crashesByKind = [
      "processKill": counters.processKills, "powerLoss": counters.powerLosses,
    ]
    crashesWithPendingSectors = counters.crashesWithPendingSectors
    crashesDuringRecovery = counters.crashesDuringRecovery
    pendingSectorsAtCrash = CampaignJSON.buckets(counters)
    faults = CampaignJSON.faultCounts(counters)
    failingTapes = CampaignJSON.table(report.failingTapes)
    faultPoints = CampaignJSON.table(counters.faultPoints)
    probes = CampaignJSON.table(counters.probes)
    faultPointsNeverFired = counters.faultPoints.filter { $0.count == 0 }.map(\.name)
    probesHit = counters.probes.filter { $0.count > 0 }.map(\.name)
    probesNeverHit = counters.probes.filter { $0.count == 0 }.map(\.name)
    cpuSeconds = report.cpuSeconds
    tapesPerCoreHour = report.tapesPerCoreHour
    failures = report.failures.map(CampaignJSON.failure)
    furtherFailures = report.furtherFailures
    inconclusiveTapes = report.inconclusiveTapes
    coverageGaps = report.coverageGaps
    skipped = report.skipped
    scenarios = report.scenarios.map {
      ScenarioCounts(
        name: $0.name, tapes: $0.counters.tapes, operations: $0.counters.operations,
        crashes: $0.counters.crashes, recoveries: $0.counters.recoveries,
        failures: $0.failingTapes, cpuSeconds: $0.cpuSeconds)
    }
  }

  /// As JSON with sorted keys, ending in a newline.
  public func encoded() throws(FormatError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    } catch {
      throw FormatError("cannot encode the report: \(error)")
    }
  }

  static func failure(_ failure: CampaignFailure) -> Failure {
    Failure(
      property: failure.property, detail: failure.detail, scenario: failure.scenario,
      engine: failure.engine, seed: String(failure.seed), step: failure.step,
      index: failure.index, file: failure.file, operationsBefore: failure.operationsBefore,
      operationsAfter: failure.operationsAfter, faultsAfter: failure.faultsAfter,
      threadSwitchesAfter: failure.threadSwitchesAfter)
  }

  private static func buckets(_ counters: TapeCounters) -> [Bucket] {
    var buckets: [Bucket] = []
    for (index, crashes) in counters.pendingSectors.enumerated() where crashes > 0 {
      buckets.append(
        Bucket(from: TapeCounters.bounds(ofBucket: index).lowerBound, crashes: crashes))
    }
    return buckets
  }

  private static func faultCounts(_ counters: TapeCounters) -> [String: Int] {
    var counts: [String: Int] = [:]
    for (index, fault) in FaultClass.allCases.enumerated() {
      counts[fault.rawValue] = counters.faults[index]
    }
    return counts
  }

  private static func table(_ counts: [NamedCount]) -> [String: Int] {
    Dictionary(counts.map { ($0.name, $0.count) }, uniquingKeysWith: +)
  }
}
