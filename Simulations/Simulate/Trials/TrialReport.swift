internal import EngineKit
internal import Foundation
internal import SimulationKit

/// What many trials came to.
struct TrialReport {
  var title: String
  var engine: String
  var sum: TrialReply
  var seconds: Double
  /// Bytes of each kind in the database; empty where nobody says.
  var census: [(kind: String, bytes: Int)] = []
  /// Kinds that a database that holds everything should have, and this one has not.
  var missing: [String] = []

  var isViolated: Bool { !sum.violations.isEmpty || !missing.isEmpty }

  /// As many violations are printed.
  private static let mostShown = 20

  /// Takes in what lies where. A kind that is missing is a failure of the trials.
  mutating func take(census trials: DamageTrials, _ factory: any EngineFactory) {
    census = trials.trial.map.census
    if !trials.isComplete { return }
    missing = factory.storageKinds.filter { kind in
      !census.contains { $0.kind == kind && $0.bytes > 0 }
    }
  }

  var text: String {
    var lines = [title]
    if !census.isEmpty {
      lines.append("  it holds: " + census.map { "\($0.kind) \($0.bytes)" }.joined(separator: "; "))
    }
    for kind in missing { lines.append("MISSING  \(kind): no byte of it in the database") }
    let outcomes = outcomes
    let width = max(20, sum.counts.map(\.group.count).max() ?? 0)
    for outcome in outcomes {
      lines.append("  \(pad(outcome, to: 34)) \(pad(String(total(outcome)), to: 9, right: true))")
      for count in sum.counts.filter({ $0.outcome == outcome }).sorted(by: { $0.group < $1.group })
      {
        lines.append(
          "      \(pad(count.group, to: width)) \(pad(String(count.count), to: 9, right: true))")
      }
    }
    for violation in sum.violations.prefix(Self.mostShown) {
      lines.append("FAILED   \(violation.what): \(violation.detail)")
      lines.append("replay   \(violation.command)")
    }
    if sum.violations.count > Self.mostShown {
      lines.append("         and \(sum.violations.count - Self.mostShown) more")
    }
    let rate = Int(Double(sum.done) / max(seconds, 0.001))
    lines.append(
      "effort   \(sum.done) trials, \(format(sum.cpuSeconds)) CPU seconds, \(format(seconds)) s, "
        + "\(rate) a second: \(isViolated ? "invalid" : "valid")")
    return lines.joined(separator: "\n")
  }

  private var outcomes: [String] {
    var names: [String] = []
    for count in sum.counts where !names.contains(count.outcome) { names.append(count.outcome) }
    return names.sorted()
  }

  private func total(_ outcome: String) -> Int {
    sum.counts.filter { $0.outcome == outcome }.reduce(0) { $0 + $1.count }
  }

  private func format(_ seconds: Double) -> String {
    let tenths = Int((seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  static func json(_ reports: [TrialReport]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(reports.map(JSON.init)), as: UTF8.self)
  }

  private struct JSON: Encodable {
    var title, engine, verdict: String
    var trials, work: Int
    var seconds, cpuSeconds: Double
    var counts: [TrialReply.Count]
    var violations: [TrialReply.Violation]
    var bytes: [String: Int]
    var missing: [String]

    init(_ report: TrialReport) {
      title = report.title
      engine = report.engine
      verdict = report.isViolated ? "invalid" : "valid"
      trials = report.sum.done
      work = report.sum.work
      seconds = report.seconds
      cpuSeconds = report.sum.cpuSeconds
      counts = report.sum.counts.sorted { ($0.outcome, $0.group) < ($1.outcome, $1.group) }
      violations = report.sum.violations
      bytes = Dictionary(report.census.map { ($0.kind, $0.bytes) }, uniquingKeysWith: +)
      missing = report.missing
    }
  }
}
