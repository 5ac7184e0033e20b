internal import EngineKit
internal import SimulationKit

/// A campaign's result for people: the verdict, a table of the scenarios, what was met, the failures.
struct ReportText {
  private let report: CampaignReport
  init(_ report: CampaignReport) { self.report = report }

  var text: String {
    var lines = table + [""] + facts
    if !report.failingTapes.isEmpty {
      lines.append("failing  " + ReportText.names(report.failingTapes))
    }
    if !report.coverageGaps.isEmpty {
      lines.append("")
      lines += report.coverageGaps.map { Console.coloured("MISSED", .yellow) + "   \($0)" }
    }
    for failure in report.failures { lines += ["", failure.text] }
    if report.furtherFailures > 0 {
      lines += ["", "and \(report.furtherFailures) further failing tapes, not shrunk"]
    }
    return (lines + ["", verdict]).joined(separator: "\n")
  }

  var verdict: String {
    switch report.verdict {
    case .valid: "verdict  " + Console.coloured("valid", .green)
    case .invalid: "verdict  " + Console.coloured("invalid", .red)
    case .unknown: "verdict  " + Console.coloured("unknown", .yellow)
    }
  }

  private var table: [String] {
    var lines = [
      row("scenario", ["tapes", "operations", "crashes", "recoveries", "failing", "cpu s"])
    ]
    for scenario in report.scenarios {
      lines.append(
        row(
          scenario.name,
          [
            "\(scenario.counters.tapes)", "\(scenario.counters.operations)",
            "\(scenario.counters.crashes)", "\(scenario.counters.recoveries)",
            "\(scenario.failingTapes)", ReportText.tenths(scenario.cpuSeconds),
          ]))
    }
    return lines + report.skipped.map { "skipped  \($0)" }
  }

  private func row(_ name: String, _ cells: [String]) -> String {
    pad(name, to: 20) + cells.map { pad($0, to: 12, right: true) }.joined()
  }

  private var facts: [String] {
    let counters = report.counters
    return [
      "engine   \(report.engine), seed \(report.seed), trace \(report.traceHash)",
      "rate     \(Int(report.tapesPerCoreHour)) tapes a core-hour, "
        + "\(ReportText.tenths(report.cpuSeconds)) s of processor time",
      ReportText.effort(report),
      "crashes  \(counters.processKills) process kills, \(counters.powerLosses) power losses, "
        + "\(counters.crashesDuringRecovery) during a recovery",
      "pending  \(counters.crashesWithPendingSectors) crashes with unsynced sectors: "
        + ReportText.histogram(counters),
      "ended    \(counters.reportedDamage) tapes at damage that the engine reported",
      "threads  \(counters.threadSwitches) switches",
      "faults   " + ReportText.faults(counters),
      "points   " + ReportText.names(counters.faultPoints),
      "probes   " + ReportText.names(counters.probes),
    ]
  }

  static func histogram(_ counters: TapeCounters) -> String {
    var parts: [String] = []
    for (bucket, crashes) in counters.pendingSectors.enumerated() where crashes > 0 {
      let bounds = TapeCounters.bounds(ofBucket: bucket)
      let name =
        bounds.lowerBound == bounds.upperBound
        ? "\(bounds.lowerBound)"
        : bounds.upperBound == .max
          ? "\(bounds.lowerBound)+" : "\(bounds.lowerBound)-\(bounds.upperBound)"
      parts.append("\(name): \(crashes)")
    }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  static func faults(_ counters: TapeCounters) -> String {
    var parts: [String] = []
    for (index, fault) in FaultClass.allCases.enumerated() {
      parts.append("\(fault.rawValue) \(counters.faults[index])")
    }
    return parts.joined(separator: ", ")
  }

  static func names(_ counts: [NamedCount]) -> String {
    counts.isEmpty ? "none named" : counts.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
  }

  /// What it took, without shrinking.
  static func effort(_ report: CampaignReport) -> String {
    let hundredths = Int((report.cpuSeconds * 100).rounded())
    let digits = "\(100 + hundredths % 100)".dropFirst()
    return "effort   \(report.counters.tapes) tapes, "
      + "\(hundredths / 100).\(digits) s of processor time"
  }

  static func tenths(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
