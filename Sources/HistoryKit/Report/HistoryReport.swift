/// A failure, or a run that held, as one page that needs nothing else: no script, style, font
/// or picture from elsewhere. Light or dark as the reader's system is.
///
/// The page shows the verdict, the property that was broken, how to run it again, the facts given, and
/// the last events as a table with one column a client. The same is in it as one JSON value, in the
/// element `#report`.
public struct HistoryReport: Sendable {
  public enum Verdict: String, Sendable { case valid, invalid, unknown }

  public struct Fact: Sendable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var verdict: Verdict
  public var scenario: String
  public var engine: String
  public var violations: [Violation]
  /// The command that runs it again; empty for none.
  public var replayCommand: String
  /// Further lines for the head, as seed, operations before and after shrinking, faults met.
  public var facts: [Fact]

  public init(
    verdict: Verdict, scenario: String, engine: String, violations: [Violation],
    replayCommand: String, facts: [Fact] = []
  ) {
    self.verdict = verdict
    self.scenario = scenario
    self.engine = engine
    self.violations = violations
    self.replayCommand = replayCommand
    self.facts = facts
  }

  /// The page, as UTF-8 text.
  public func html(_ history: History) -> String {
    let timeline = ReportTimeline(history)
    var page = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    page += "<meta name=\"viewport\" content=\"width=device-width\">\n"
    page += "<title>\(escaped(scenario)): \(verdict.rawValue)</title>\n"
    page += "<style>\(Self.style)</style></head>\n<body class=\"\(verdict.rawValue)\">\n"
    page += head()
    page += body(timeline)
    page += "<script type=\"application/json\" id=\"report\">\(json(timeline))</script>\n"
    page += "</body></html>\n"
    return page
  }

  private func head() -> String {
    var html = "<header><p class=\"verdict\">\(verdict.rawValue)</p>"
    html += "<h1>\(escaped(scenario)) <small>on \(escaped(engine))</small></h1></header>\n"
    for violation in violations.prefix(8) {
      html += "<p class=\"violation\"><b>\(escaped(violation.property))</b> "
      html += "\(escaped(violation.detail)) <i>step \(violation.step)</i></p>\n"
    }
    if violations.count > 8 { html += "<p>and \(violations.count - 8) more</p>\n" }
    if !replayCommand.isEmpty { html += "<pre>\(escaped(replayCommand))</pre>\n" }
    if !facts.isEmpty {
      html += "<dl>"
      for fact in facts {
        html += "<div><dt>\(escaped(fact.name))</dt><dd>\(escaped(fact.value))</dd></div>"
      }
      html += "</dl>\n"
    }
    return html
  }

  private func body(_ timeline: ReportTimeline) -> String {
    var html = "<table><thead><tr><th>step</th>"
    for client in timeline.clients { html += "<th>client \(client)</th>" }
    html += "</tr></thead><tbody>\n"
    for row in timeline.rows {
      let isBad = violations.contains { row.covers(step: $0.step) }
      switch row.kind {
      case .call(let client, let text, let outcome, let isFailure):
        html += "<tr\(isBad ? " class=\"bad\"" : "")><td>\(row.steps)</td>"
        for column in timeline.clients {
          guard column == client else {
            html += "<td></td>"
            continue
          }
          let kind = isFailure ? "failure" : "outcome"
          html += "<td class=\"call\">\(escaped(text))"
          html += "<span class=\"\(kind)\">\(escaped(outcome))</span></td>"
        }
        html += "</tr>\n"
      case .world(let text, let isCrash):
        let classes = (isCrash ? "crash" : "world") + (isBad ? " bad" : "")
        html += "<tr class=\"\(classes)\"><td>\(row.steps)</td>"
        html += "<td colspan=\"\(max(1, timeline.clients.count))\">\(escaped(text))</td></tr>\n"
      }
    }
    html += "</tbody></table>\n"
    if timeline.omitted > 0 {
      html += "<footer>\(timeline.omitted) earlier events are not shown.</footer>\n"
    }
    return html
  }

  private func json(_ timeline: ReportTimeline) -> String {
    var parts: [String] = []
    parts.append("\"verdict\":\(quoted(verdict.rawValue))")
    parts.append("\"scenario\":\(quoted(scenario))")
    parts.append("\"engine\":\(quoted(engine))")
    parts.append("\"replay\":\(quoted(replayCommand))")
    let broken = violations.map {
      "{\"property\":\(quoted($0.property)),\"detail\":\(quoted($0.detail)),\"step\":\($0.step)}"
    }
    parts.append("\"violations\":[\(broken.joined(separator: ","))]")
    let told = facts.map { "{\"name\":\(quoted($0.name)),\"value\":\(quoted($0.value))}" }
    parts.append("\"facts\":[\(told.joined(separator: ","))]")
    let events = timeline.rows.map { row in
      switch row.kind {
      case .call(let client, let text, let outcome, _):
        return "{\"from\":\(row.first),\"to\":\(row.last.map { "\($0)" } ?? "null"),"
          + "\"client\":\(client),\"call\":\(quoted(text)),\"outcome\":\(quoted(outcome))}"
      case .world(let text, _): return "{\"from\":\(row.first),\"event\":\(quoted(text))}"
      }
    }
    parts.append("\"events\":[\(events.joined(separator: ","))]")
    return "{\(parts.joined(separator: ","))}"
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// A JSON string that may stand inside a script element: "<" is written as an escape.
  private func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "<": result += "\\u003c"
      default:
        if character.value < 0x20 {
          let digits = String(character.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          result.unicodeScalars.append(character)
        }
      }
    }
    return result + "\""
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1c2329;--paper:#fbfaf7;--line:#d9d6cd;--soft:#6d7278;
    --good:#1d7a4c;--bad:#b3261e;--tint:#f4e4e1;--code:#efede6}
    @media(prefers-color-scheme:dark){:root{--ink:#e4e2dc;--paper:#16191c;--line:#33393f;
    --soft:#949aa0;--good:#5fc48f;--bad:#f2877d;--tint:#3b2422;--code:#20252a}}
    body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
    max-width:76rem;margin:2rem auto;padding:0 1.5rem}
    h1{font-size:1.6rem;margin:.2rem 0 1rem}small{color:var(--soft);font-weight:400}
    .verdict{text-transform:uppercase;letter-spacing:.12em;font-weight:700;margin:0;color:var(--soft)}
    .valid .verdict{color:var(--good)}.invalid .verdict{color:var(--bad)}
    .violation{border-left:4px solid var(--bad);padding:.3rem .8rem;background:var(--tint)}
    i,footer{color:var(--soft);font-style:normal;font-size:.85em}
    pre{background:var(--code);padding:.7rem 1rem;overflow-x:auto;border-radius:4px}
    dl{display:flex;flex-wrap:wrap;gap:.4rem 2rem}dl div{min-width:8rem}
    dt{color:var(--soft);font-size:.8em}dd{margin:0;font-variant-numeric:tabular-nums}
    table{border-collapse:collapse;width:100%;margin-top:1.5rem;font-size:.88em}
    th{text-align:left;color:var(--soft);font-weight:600;position:sticky;top:0;background:var(--paper)}
    th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
    td:first-child{color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
    .call{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
    .outcome,.failure{display:block;color:var(--soft)}.failure{color:var(--bad)}
    .crash td{background:var(--bad);color:var(--paper);font-weight:600}
    .world td{color:var(--soft)}.bad td{background:var(--tint)}.crash.bad td{background:var(--bad)}
    """
}
