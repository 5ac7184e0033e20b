internal import Foundation
public import SimulationKit

/// The one object that `simulate interleavings --format json` prints. Rates are per second of processor
/// time; `neverReached` are named schedule points and probes that no schedule met.
public struct InterleavingsJSON: Codable, Sendable {
  public struct Program: Codable, Sendable {
    public var name: String
    public var tapes, schedules, distinctStates, threadSwitches, crashes, failures: Int
    /// Of an exhaustive run: schedules beyond the bound, those passed over because they come to the same as another,
    /// and points of the longest call.
    public var schedulesCut, schedulesSame, longestCall: Int
    public var cpuSeconds: Double
  }

  public var verdict, engine, seed, build, traceHash: String
  public var tapes, schedules, distinctStates, operations, crashes, threadSwitches,
    schedulePoints: Int
  public var switchesPerCPUSecond, schedulesPerCPUSecond, cpuSeconds: Double
  public var points, probes: [String: Int]
  public var neverReached: [String]
  public var failures: [CampaignJSON.Failure]
  public var furtherFailures: Int
  public var programs: [Program]

  public init(_ report: CampaignReport) {
    let counters = report.counters
    let seconds = max(report.cpuSeconds, 0.001)
    verdict = report.verdict.rawValue
    engine = report.engine
    seed = String(report.seed)
    build = TapeFile.currentBuild
    traceHash = report.traceHash
    tapes = counters.tapes
    schedules = counters.schedules
    distinctStates = report.distinctStates
    operations = counters.operations
    crashes = counters.crashes
    threadSwitches = counters.threadSwitches
    schedulePoints = counters.schedulePoints
    switchesPerCPUSecond = Double(threadSwitches) / seconds
    schedulesPerCPUSecond = Double(schedules) / seconds
    cpuSeconds = report.cpuSeconds
    points = Dictionary(counters.faultPoints.map { ($0.name, $0.count) }, uniquingKeysWith: +)
    probes = Dictionary(counters.probes.map { ($0.name, $0.count) }, uniquingKeysWith: +)
    neverReached =
      (counters.faultPoints + counters.probes).filter { $0.count == 0 }.map(\.name)
    failures = report.failures.map(CampaignJSON.failure)
    furtherFailures = report.furtherFailures
    programs = report.scenarios.map {
      Program(
        name: $0.name, tapes: $0.counters.tapes, schedules: $0.counters.schedules,
        distinctStates: $0.distinctStates, threadSwitches: $0.counters.threadSwitches,
        crashes: $0.counters.crashes,
        failures: $0.failingTapes, schedulesCut: $0.counters.schedulesCut,
        schedulesSame: $0.counters.schedulesSame,
        longestCall: $0.counters.longestCall, cpuSeconds: $0.cpuSeconds)
    }
  }

  /// Several campaigns of one run.
  private struct Parts: Codable {
    var verdict: String
    var parts: [InterleavingsJSON]
  }

  /// As JSON with sorted keys, ending in a newline: one campaign as itself, several as `parts` beside the verdict of
  /// all.
  public static func encoded(_ reports: [CampaignReport]) throws(FormatError) -> String {
    let parts = reports.map { InterleavingsJSON($0) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    do {
      let data =
        parts.count == 1
        ? try encoder.encode(parts[0])
        : try encoder.encode(
          Parts(verdict: CampaignReport.worst(of: reports).rawValue, parts: parts))
      return String(decoding: data, as: UTF8.self) + "\n"
    } catch {
      throw FormatError("cannot encode the report: \(error)")
    }
  }
}
