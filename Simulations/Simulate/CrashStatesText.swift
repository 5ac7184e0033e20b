internal import Foundation
internal import SimulationFormats
internal import SimulationKit

/// What `simulate crash-states` prints for people.
struct CrashStatesText {
  private let report: CrashStatesJSON
  private let requests: [CrashRequest]

  init(_ report: CrashStatesJSON, _ requests: [CrashRequest]) {
    self.report = report
    self.requests = requests
  }

  var text: String {
    var lines = [
      row("run", "operations", "calls", "states", "images", "contents", "CPU s", "failing")
    ]
    for run in report.runs {
      lines.append(
        row(
          run.name, "\(run.operations)", "\(run.calls)", "\(run.stateCount)", "\(run.images)",
          "\(run.contents)", seconds(run.cpuSeconds), "\(run.failingStates)"))
    }
    lines.append(
      row(
        "all", "\(sum { $0.operations })", "\(sum { $0.calls })", "\(sum { $0.stateCount })",
        "\(sum { $0.images })", "\(sum { $0.contents })", seconds(report.cpuSeconds),
        "\(report.failingStates)"))
    lines.append("")
    let classes = StateClass.allCases.map {
      "\($0.rawValue) \(report.statesByClass[$0.rawValue] ?? 0)"
    }
    lines.append("states   \(classes.joined(separator: ", "))")
    lines += extent
    if report.depth > 1 {
      lines.append(
        "depth 2  \(sum { $0.statesInRecovery }) states at \(sum { $0.recoveryCalls }) calls of "
          + "recoveries, \(sum { $0.imagesInRecovery }) further images"
          + (sum { $0.imagesNotCrashed } > 0
            ? "; the recovery of \(sum { $0.imagesNotCrashed }) images was not crashed" : ""))
    }
    lines.append(
      "rate     \(report.images) images (\(report.imageBytes / 1_000_000) MB on disk, "
        + "\(report.recoveries) openings) of runs that wrote \(sum { $0.bytesWritten }) bytes, "
        + "recovered and verified in \(seconds(report.cpuSeconds)) CPU s: "
        + "\(Int(report.imagesPerCoreSecond)) a second and core")
    lines.append("verified \(report.verified) times contents against what was promised")
    lines.append("hash     \(report.hash)")
    for (place, run) in report.runs.enumerated() {
      for finding in run.findings { lines += failure(finding, requests[place]) }
    }
    lines.append(
      report.verdict == "valid"
        ? Console.coloured("valid", .green) : Console.coloured(report.verdict, .red))
    return lines.joined(separator: "\n")
  }

  /// What was not looked at.
  private var extent: [String] {
    let moments = sum { $0.momentsWithoutSubsets }
    var lines = [
      "extent   all combinations at \(sum { $0.calls } - moments) moments; more than 12 items at "
        + "\(moments)"
    ]
    if report.statesLeftOut > 0 {
      lines.append(
        "left out \(report.statesLeftOut) states, evenly, because there are more than asked for")
    }
    for run in report.runs {
      if let obstacle = run.obstacle { lines.append("\(run.name): \(obstacle)") }
    }
    return lines
  }

  private func failure(_ finding: CrashFinding, _ request: CrashRequest) -> [String] {
    var lines = ["", Console.coloured("FAILED", .red) + "   \(finding.property) in \(request.run)"]
    lines.append("         \(finding.detail)")
    for line in finding.lines { lines.append("         \(line)") }
    if finding.state.isEmpty { return lines }
    let engine = request.engine.map { " --engine \($0)" } ?? ""
    let subject = request.isLog ? "--log \(request.run)" : request.run
    lines.append("         simulate crash-states \(subject) --state \(finding.state)\(engine)")
    return lines
  }

  private func sum(_ number: (CrashStatesResult) -> Int) -> Int {
    report.runs.reduce(0) { $0 + number($1) }
  }

  private func seconds(_ value: Double) -> String { String(format: "%.1f", value) }

  private func row(_ cells: String...) -> String {
    var line = cells[0].padding(toLength: 26, withPad: " ", startingAt: 0)
    for cell in cells.dropFirst() {
      line += String(repeating: " ", count: max(1, 11 - cell.count)) + cell
    }
    return line
  }
}
