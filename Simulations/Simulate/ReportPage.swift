internal import EngineKit
internal import SimulationKit

/// A campaign's result as one self-contained page: properties first, then the scenarios, then everything
/// that was met and how often.
struct ReportPage {
  private let report: CampaignReport
  init(_ report: CampaignReport) { self.report = report }

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escape(report.engine)): \(report.verdict.rawValue)</title>
    <style>\(ReportPage.style)</style></head><body>
    <h1>\(escape(report.engine)): <span class="\(report.verdict.rawValue)">\
    \(report.verdict.rawValue)</span></h1>
    <p>Seed \(report.seed), trace <code>\(report.traceHash)</code>, \
    \(Int(report.tapesPerCoreHour)) tapes a core-hour.</p>
    \(section("Failures", failures))
    \(section("Never met", report.coverageGaps.map { [$0] }, ["what"]))
    \(section("Scenarios", scenarios, ["scenario", "tapes", "operations", "crashes",
      "recoveries", "failing", "cpu s"]))
    \(section("Crashes", crashes, ["what", "count"]))
    \(section("Unsynced sectors at a crash", histogram, ["sectors", "crashes", ""]))
    \(section("Faults", faults, ["class", "met"]))
    \(section("Fault points", named(report.counters.faultPoints), ["name", "fired"]))
    \(section("Probes", named(report.counters.probes), ["name", "hit"]))
    </body></html>

    """
  }

  private static let style = """
    body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
    table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:right}
    td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#8881}
    pre{background:#8882;padding:.8rem;overflow-x:auto}.bar{background:#48c;height:.8rem}
    .valid{color:#070}.invalid{color:#b00}.unknown{color:#a60}
    """

  private var failures: String {
    if report.failures.isEmpty { return "<p>None.</p>" }
    let further =
      report.furtherFailures > 0 ? "<p>And \(report.furtherFailures) further tapes.</p>" : ""
    return report.failures.map { "<pre>\(escape($0.text))</pre>" }.joined(separator: "\n") + further
  }

  private var scenarios: [[String]] {
    report.scenarios.map {
      [
        $0.name, "\($0.counters.tapes)", "\($0.counters.operations)", "\($0.counters.crashes)",
        "\($0.counters.recoveries)", "\($0.failingTapes)", ReportText.tenths($0.cpuSeconds),
      ]
    } + report.skipped.map { [$0] }
  }

  private var crashes: [[String]] {
    let counters = report.counters
    return [
      ["process kills", "\(counters.processKills)"], ["power losses", "\(counters.powerLosses)"],
      ["during a recovery", "\(counters.crashesDuringRecovery)"],
      ["with unsynced sectors", "\(counters.crashesWithPendingSectors)"],
      ["recovered and checked", "\(counters.recoveries)"],
      ["tapes ended by reported damage", "\(counters.reportedDamage)"],
      ["thread switches", "\(counters.threadSwitches)"],
    ]
  }

  private var histogram: [[String]] {
    let most = max(1, report.counters.pendingSectors.max() ?? 1)
    var rows: [[String]] = []
    for (bucket, count) in report.counters.pendingSectors.enumerated() where count > 0 {
      let from = TapeCounters.bounds(ofBucket: bucket).lowerBound
      rows.append(["from \(from)", "\(count)", "bar:\(200 * count / most)"])
    }
    return rows
  }

  private var faults: [[String]] {
    FaultClass.allCases.enumerated().map { [$1.rawValue, "\(report.counters.faults[$0])"] }
  }

  private func named(_ counts: [NamedCount]) -> [[String]] {
    counts.map { [$0.name, "\($0.count)"] }
  }

  private func section(_ title: String, _ body: String) -> String { "<h2>\(title)</h2>\n\(body)" }

  private func section(_ title: String, _ rows: [[String]], _ head: [String]) -> String {
    if rows.isEmpty { return "" }
    let cells = rows.map { row in
      "<tr>" + row.map { cell in "<td>\(content(cell))</td>" }.joined() + "</tr>"
    }
    return section(
      title,
      "<table><tr>" + head.map { "<th>\($0)</th>" }.joined() + "</tr>\n"
        + cells.joined(separator: "\n") + "</table>")
  }

  private func content(_ cell: String) -> String {
    if cell.hasPrefix("bar:") {
      return "<div class=\"bar\" style=\"width:\(cell.dropFirst(4))px\"></div>"
    }
    return escape(cell)
  }

  private func escape(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
