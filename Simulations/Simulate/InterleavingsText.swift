internal import SimulationKit

/// The result of `simulate interleavings` for people.
struct InterleavingsText {
  private let report: CampaignReport
  init(_ report: CampaignReport) { self.report = report }

  var text: String {
    let counters = report.counters
    let seconds = max(report.cpuSeconds, 0.001)
    var lines = table + [""]
    lines += [
      "engine   \(report.engine), seed \(report.seed), trace \(report.traceHash)",
      "explored \(counters.schedules) schedules, \(counters.operations) calls, "
        + "\(counters.threadSwitches) switches at \(counters.schedulePoints) points, "
        + "\(counters.crashes) crashes",
      "rate     \(Int(Double(counters.threadSwitches) / seconds)) switches and "
        + "\(Int(Double(counters.schedules) / seconds)) schedules per CPU second, "
        + "\(ReportText.tenths(report.cpuSeconds)) s of processor time",
      ReportText.effort(report),
      "points   " + ReportText.names(counters.faultPoints.filter { $0.count > 0 }),
      "probes   " + ReportText.names(counters.probes.filter { $0.count > 0 }),
    ]
    let missed = InterleavingsText.neverReached(report)
    lines.append("missed   " + (missed.isEmpty ? "nothing" : missed.joined(separator: ", ")))
    if !report.failingTapes.isEmpty {
      lines.append("failing  " + ReportText.names(report.failingTapes))
    }
    for failure in report.failures {
      lines += ["", failure.text(replay: BuildFlavour.command(schedulePoints: true, "replay"))]
    }
    if report.furtherFailures > 0 {
      lines += ["", "and \(report.furtherFailures) further failing tapes, not shrunk"]
    }
    return (lines + ["", ReportText(report).verdict]).joined(separator: "\n")
  }

  /// Named schedule points and probes of the engine that no schedule reached.
  static func neverReached(_ report: CampaignReport) -> [String] {
    (report.counters.faultPoints + report.counters.probes).filter { $0.count == 0 }.map(\.name)
  }

  private var table: [String] {
    if report.scenarios.contains(where: { $0.counters.longestCall > 0 }) { return pairs }
    var lines = [
      row("program", ["tapes", "schedules", "switches", "crashes", "failing", "cpu s"])
    ]
    for scenario in report.scenarios {
      let counters = scenario.counters
      lines.append(
        row(
          scenario.name,
          [
            "\(counters.tapes)", "\(counters.schedules)", "\(counters.threadSwitches)",
            "\(counters.crashes)", "\(scenario.failingTapes)",
            ReportText.tenths(scenario.cpuSeconds),
          ]))
    }
    return lines
  }

  /// Of an exhaustive run. Two preemptions at most where no call takes 150 points, else one.
  private var pairs: [String] {
    var lines = [
      row("pair", ["points", "preempted", "schedules", "same", "cut off", "failing", "cpu s"], width: 36)
    ]
    for scenario in report.scenarios {
      let counters = scenario.counters
      let isLong = counters.longestCall >= PairExploration.manyPoints
      let isWhole = counters.tapes == PairExploration.slices
      lines.append(
        row(
          scenario.name,
          [
            "\(counters.longestCall)", isLong ? "once" : "twice",
            "\(counters.schedules)" + (isWhole ? "" : " (not all)"),
            "\(counters.schedulesSame)", "\(counters.schedulesCut)", "\(scenario.failingTapes)",
            ReportText.tenths(scenario.cpuSeconds),
          ], width: 36))
    }
    return lines
  }

  private func row(_ name: String, _ cells: [String], width: Int = 20) -> String {
    pad(name, to: width) + cells.map { pad($0, to: 12, right: true) }.joined()
  }
}
