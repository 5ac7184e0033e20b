/// One page that needs nothing else: floors and goals, bars for each row, the growth plot, the settings.
struct HTMLReport {
  let options: Options
  let results: Results

  func page() -> String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><title>Luge beside its peers</title>
    <meta name="viewport" content="width=device-width"><style>\(Self.style)</style></head><body>
    <h1>Luge beside its peers</h1>
    <p>Commit <code>\(escaped(options.commit))</code>; \(options.entries) entries, keys of 16 and values of 100
    bytes unless said; \(options.pairs) pairs, seed \(options.seed). Rates are medians; ratios are medians of
    the ratios of runs back to back, quartiles in brackets.</p>
    \(failures())
    <h2>Floors and goals</h2>\(goals())
    <h2>Workloads</h2><div class="rows">\(bars())</div>
    \(growth())
    <h2>Settings</h2><ul>\(Settings.lines.map { "<li>\(escaped($0))</li>" }.joined())</ul>
    </body></html>
    """
  }

  private static let style = """
    :root{color-scheme:light dark;--luge:#0a7d55;--peer:#8a94a6;--bare:#c9a227;--line:#8884}
    body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}
    table{border-collapse:collapse;width:100%}td,th{padding:.25em .6em;border-bottom:1px solid var(--line);
    text-align:left}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
    .missed{color:#c0392b;font-weight:600}.met{color:var(--luge);font-weight:600}.open{opacity:.6}
    .rows{display:grid;grid-template-columns:repeat(auto-fill,minmax(500px,1fr));gap:1em 2em}
    .row h3{margin:.2em 0;font-size:1em}.bar{display:grid;grid-template-columns:6em 1fr 17em;gap:.5em;
    align-items:center;font-size:.85em}.bar i{display:block;height:.9em;border-radius:2px;background:var(--peer)}
    .bar.luge i{background:var(--luge)}.bar.bare i{background:var(--bare)}.bar b{font-weight:400;
    font-variant-numeric:tabular-nums}svg text{fill:currentColor;font-size:12px}small{opacity:.75}
    """

  private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  private func failures() -> String {
    let lines = results.failures.map {
      "<li class=\"missed\">\(escaped($0.row.title)): \(escaped($0.failure ?? ""))</li>"
    }
    return lines.isEmpty ? "" : "<h2>Failures</h2><ul>\(lines.joined())</ul>"
  }

  private func goals() -> String {
    let lines = Goals.all.filter { options.workloads.contains($0.workload) }.map { goal in
      let found = goal.find(results)
      let verdict = goal.verdict(results)
      let kind =
        switch verdict {
        case .goalMet, .floorMet: "met"
        case .missed: "missed"
        case .open: "open"
        }
      func cell(_ value: Double?) -> String {
        "<td class=\"n\">\(value.map { Console.short($0) + goal.unit } ?? "–")</td>"
      }
      return
        "<tr><td>\(escaped(goal.what))</td>\(cell(found?.value))\(cell(goal.floor))\(cell(goal.goal))"
        + "<td class=\"\(kind)\">\(verdict.rawValue)</td><td>\(escaped(found?.beside ?? ""))</td></tr>"
    }
    return """
      <table><tr><th>what</th><th class="n">found</th><th class="n">floor</th><th class="n">goal</th>
      <th>verdict</th><th>beside</th></tr>\(lines.joined(separator: "\n"))</table>
      """
  }

  private func bars() -> String {
    results.rows.filter { $0.workload != .growth }.map { row in
      let engines = results.engines(row)
      let rates = engines.map { results.rate(row, $0) ?? 0 }
      let most = max(rates.max() ?? 1, 1e-9)
      let lines = zip(engines, rates).map { engine, rate in
        let ratios = results.ratios(row, engine)
        var text = Console.rate(rate)
        if engine != Engines.luge, let middle = Results.quantile(0.5, of: ratios),
          let low = Results.quantile(0.25, of: ratios),
          let high = Results.quantile(0.75, of: ratios)
        {
          text +=
            " · luge is \(Console.short(middle))x [\(Console.decimals(low, 2))–\(Console.decimals(high, 2))]"
        }
        let figures = results.of(row, engine).last?.figures.keys.sorted() ?? []
        text += figures.compactMap { name in
          results.figure(row, engine, name).map { " · \(name) \(Console.short($0))" }
        }.joined()
        let kind = engine == Engines.luge ? "luge" : engine == Engines.bare ? "bare" : "peer"
        return """
          <div class="bar \(kind)"><span>\(engine)</span><i style="width:\(Console.decimals(100 * rate / most, 1))%"></i>\
          <b>\(escaped(text))</b></div>
          """
      }
      return """
        <div class="row"><h3>\(escaped(row.title)) <small>\(row.threads) thread\(row.threads == 1 ? "" : "s"), \
        \(row.entries) entries, \(row.workload.unit)</small></h3>\(lines.joined())</div>
        """
    }.joined(separator: "\n")
  }

  // MARK: Growth

  private func growth() -> String {
    let rows = results.rows.filter { $0.workload == .growth }
    guard !rows.isEmpty else { return "" }
    let plots = ["insert", "read", "update"].map { variant in
      plot(variant, rows.filter { $0.variant == variant }.sorted { $0.entries < $1.entries })
    }
    return """
      <h2>Cost as it grows</h2><p>Nanoseconds an operation over the number of entries, logarithmic; cache 4 GiB,
      one thread, keys in no order.</p><div class="rows">\(plots.joined(separator: "\n"))</div>
      """
  }

  private func plot(_ title: String, _ rows: [Row]) -> String {
    let (width, height, left, bottom) = (480.0, 260.0, 56.0, 28.0)
    var engines: [String] = []
    for row in rows {
      for engine in results.engines(row) where !engines.contains(engine) { engines.append(engine) }
    }
    let values = rows.flatMap { row in
      engines.compactMap { results.figure(row, $0, "nanoseconds") }
    }
    guard let first = rows.first, let last = rows.last, let most = values.max(), first != last
    else {
      return ""
    }
    func x(_ entries: Int) -> Double {
      let share =
        logarithm(Double(entries) / Double(first.entries))
        / logarithm(Double(last.entries) / Double(first.entries))
      return left + share * (width - left - 90)
    }
    func y(_ value: Double) -> Double { height - bottom - value / most * (height - bottom - 24) }
    var marks = ""
    for row in rows {
      marks +=
        "<text x=\"\(x(row.entries))\" y=\"\(height - 8)\" text-anchor=\"middle\">\(short(row.entries))</text>"
    }
    for part in 0...4 {
      let value = most * Double(part) / 4
      marks +=
        "<line x1=\"\(left)\" x2=\"\(width - 90)\" y1=\"\(y(value))\" y2=\"\(y(value))\" stroke=\"#8884\"/>"
        + "<text x=\"\(left - 6)\" y=\"\(y(value) + 4)\" text-anchor=\"end\">\(Console.short(value))</text>"
    }
    let colours = ["#0a7d55", "#4c78a8", "#e45756", "#b279a2", "#f58518", "#79706e"]
    for (number, engine) in engines.enumerated() {
      let points = rows.compactMap { row in
        results.figure(row, engine, "nanoseconds").map { (x(row.entries), y($0)) }
      }
      let path = points.map { "\(Console.decimals($0.0, 1)),\(Console.decimals($0.1, 1))" }
      let colour = colours[number % colours.count]
      marks +=
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(number == 0 ? 3 : 1.5)\" points=\""
        + path.joined(separator: " ") + "\"/>"
      for point in points {
        marks += "<circle cx=\"\(point.0)\" cy=\"\(point.1)\" r=\"3\" fill=\"\(colour)\"/>"
      }
      marks +=
        "<rect x=\"\(width - 80)\" y=\"\(20 + number * 18)\" width=\"10\" height=\"10\" fill=\"\(colour)\"/>"
        + "<text x=\"\(width - 66)\" y=\"\(29 + number * 18)\">\(engine)</text>"
    }
    return
      "<div class=\"row\"><h3>\(title)</h3><svg viewBox=\"0 0 \(width) \(height)\" role=\"img\">"
      + marks + "</svg></div>"
  }

  private func short(_ entries: Int) -> String {
    entries >= 1_000_000
      ? "\(Console.short(Double(entries) / 1e6))M" : "\(Console.short(Double(entries) / 1e3))k"
  }
}
