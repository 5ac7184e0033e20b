internal import SimulationKit

/// The result of `simulate interleavings` for people.
struct InterleavingsText {
  private let report: CampaignReport
  private let kind: InterleavingScenario.Kind

  init(_ report: CampaignReport, _ kind: InterleavingScenario.Kind) {
    self.report = report
    self.kind = kind
  }

  var text: String {
    var lines = table + [""] + facts
    if let reason = report.inconclusive { lines.append("unknown  \(reason)") }
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

  private var facts: [String] {
    let counters = report.counters
    let seconds = max(report.cpuSeconds, 0.001)
    let missed = InterleavingsText.neverReached(report)
    let places = counters.faultPoints.count + counters.probes.count
    return [
      "engine   \(report.engine), seed \(report.seed), trace \(report.traceHash)",
      "explored \(counters.schedules) schedules, \(report.distinctStates) distinct states, "
        + "\(counters.operations) calls, \(counters.threadSwitches) switches at "
        + "\(counters.schedulePoints) points, \(counters.crashes) crashes",
      "rate     \(Int(Double(counters.threadSwitches) / seconds)) switches and "
        + "\(Int(Double(counters.schedules) / seconds)) schedules per CPU second, "
        + "\(ReportText.tenths(report.cpuSeconds)) s of processor time",
      ReportText.effort(report),
      "points   " + ReportText.names(counters.faultPoints.filter { $0.count > 0 }),
      "probes   " + ReportText.names(counters.probes.filter { $0.count > 0 }),
      "reached  \(places - missed.count) of \(places) named places",
      "missed   " + (missed.isEmpty ? "nothing" : missed.joined(separator: ", ")),
    ]
  }

  /// Named schedule points and probes of the engine that no schedule reached.
  static func neverReached(_ report: CampaignReport) -> [String] {
    (report.counters.faultPoints + report.counters.probes).filter { $0.count == 0 }.map(\.name)
  }

  private var table: [String] {
    switch kind {
    case .programs: programs
    case .pairs: pairs
    case .singles: singles
    }
  }

  private var programs: [String] {
    var lines = [
      row("program", ["tapes", "schedules", "states", "switches", "crashes", "failing", "cpu s"])
    ]
    for scenario in report.scenarios {
      let counters = scenario.counters
      lines.append(
        row(
          scenario.name,
          [
            "\(counters.tapes)", "\(counters.schedules)", "\(scenario.distinctStates)",
            "\(counters.threadSwitches)", "\(counters.crashes)", "\(scenario.failingTapes)",
            ReportText.tenths(scenario.cpuSeconds),
          ]))
    }
    return lines
  }

  /// Of an exhaustive run. Two preemptions at most where no call takes 150 points, else one.
  private var pairs: [String] {
    var lines = [
      row(
        "pair",
        ["points", "preempted", "schedules", "states", "same", "cut off", "failing", "cpu s"],
        width: 36)
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
            "\(counters.schedules)" + (isWhole ? "" : " part"), "\(scenario.distinctStates)",
            "\(counters.schedulesSame)", "\(counters.schedulesCut)", "\(scenario.failingTapes)",
            ReportText.tenths(scenario.cpuSeconds),
          ], width: 36))
    }
    let cut = report.counters.schedulesCut
    let total = "\(report.counters.schedules) schedules of \(report.scenarios.count) pairs, "
    return lines + [
      total
        + (cut == 0
          ? "nothing cut off"
          : "\(cut) cut off by the cap of \(PairExploration.mostSchedules) a pair")
        + unfinished(PairExploration.slices)
    ]
  }

  /// Of a run by partial-order reduction: a schedule each way to order what conflicts.
  private var singles: [String] {
    var lines = [
      row("calls", ["points", "traces", "states", "cut off", "failing", "cpu s"], width: 40)
    ]
    for scenario in report.scenarios {
      let counters = scenario.counters
      lines.append(
        row(
          scenario.name,
          [
            "\(counters.longestCall)",
            "\(counters.schedules)" + (counters.tapes == 1 ? "" : " (not run)"),
            "\(scenario.distinctStates)",
            counters.schedulesCut == 0 ? "0" : "\(counters.schedulesCut) and more",
            "\(scenario.failingTapes)", ReportText.tenths(scenario.cpuSeconds),
          ], width: 40))
    }
    let cut = report.scenarios.count { $0.counters.schedulesCut > 0 }
    return lines + [
      "\(report.counters.schedules) traces of \(report.scenarios.count) pairs, "
        + (cut == 0
          ? "nothing cut off"
          : "\(cut) pairs cut off by the cap of \(TraceExploration.mostSchedules) a pair")
        + unfinished(1)
    ]
  }

  /// What a run that ended early did not come to, of pairs that take so many tapes each.
  private func unfinished(_ tapes: Int) -> String {
    let pairs = report.scenarios.count { $0.counters.tapes < tapes }
    return pairs == 0 ? "" : "; the run ended before \(pairs) of them were done"
  }

  private func row(_ name: String, _ cells: [String], width: Int = 20) -> String {
    pad(name, to: width) + cells.map { pad($0, to: 12, right: true) }.joined()
  }
}
