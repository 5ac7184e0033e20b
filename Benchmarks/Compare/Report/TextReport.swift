/// Tables: each row with its engines, then the floors and goals.
struct TextReport {
  let options: Options
  let results: Results

  func lines() -> [String] { head() + rows() + goals() + failures() }

  private func head() -> [String] {
    [
      "commit \(options.commit); \(options.entries) entries, keys of 16 and values of 100 bytes unless said;"
        + " \(options.pairs) pairs, seed \(options.seed)",
      "rates and percentiles are medians; the ratio is the median of the pairs' ratios, with quartiles",
      "p50 to p999 in microseconds, of one operation in 32 or all; device: bytes sent to it during the step"
        + " (/proc/self/io);",
      "allocated: blocks of the files; resident: peak of anonymous bytes above those before opening",
    ] + Settings.lines.map { "  " + $0 }
  }

  private func rows() -> [String] {
    var lines: [String] = []
    let columns = [22, 12, 15, 8, 10, 9, 9, 10, 10, 10]
    func cells(_ texts: [String]) -> String {
      zip(texts, columns).enumerated().map { place, cell in
        place == 0
          ? cell.0 + String(repeating: " ", count: max(cell.1 - cell.0.count, 1))
          : String(repeating: " ", count: max(cell.1 - cell.0.count, 1)) + cell.0
      }.joined()
    }
    for row in results.rows {
      let engines = results.engines(row)
      guard !engines.isEmpty else { continue }
      lines += [
        "",
        cells([
          "\(row.title) x\(row.threads)", "rate", "luge/this", "pairs", "p50", "p99", "p999",
          "device",
          "allocated", "resident",
        ]) + "   (\(row.entries) entries, \(row.workload.unit))",
      ]
      for engine in engines { lines.append(cells(line(row, engine)) + figures(row, engine)) }
    }
    return lines
  }

  private func line(_ row: Row, _ engine: String) -> [String] {
    func text(_ value: Double?, _ show: (Double) -> String) -> String { value.map(show) ?? "-" }
    let ratios = results.ratios(row, engine)
    let low = Results.quantile(0.25, of: ratios)
    let high = Results.quantile(0.75, of: ratios)
    var ratio = "-"
    if engine != Engines.luge, let middle = Results.quantile(0.5, of: ratios), let low, let high {
      ratio =
        Console.short(middle) + " (" + Console.decimals(low, 2) + "-" + Console.decimals(high, 2)
        + ")"
    }
    func median(_ value: (Sample) -> Double?) -> Double? { results.median(row, engine, value) }
    return [
      "  " + engine, text(results.rate(row, engine), Console.rate), " " + ratio,
      "\(results.of(row, engine).count)",
      text(median { $0.measurement.p50 }, Console.short),
      text(median { $0.measurement.p99 }, Console.short),
      text(median { $0.measurement.p999 }, Console.short),
      text(median { Double($0.measurement.writtenBytes) }, Console.bytes),
      text(median { $0.allocatedBytes.map(Double.init) }, Console.bytes),
      text(median { Double($0.measurement.residentBytes) }, Console.bytes),
    ]
  }

  private func figures(_ row: Row, _ engine: String) -> String {
    let names = results.of(row, engine).last?.figures.keys.sorted() ?? []
    return names.compactMap { name in
      results.figure(row, engine, name).map { "  \(name) \(Console.short($0))" }
    }.joined()
  }

  private func goals() -> [String] {
    let goals = Goals.all.filter { options.workloads.contains($0.workload) }
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(width - text.count, 1))
    }
    func bound(_ value: Double?, _ goal: Goal) -> String {
      value.map { "\(Console.short($0))\(goal.unit)" } ?? "-"
    }
    var lines = [
      "",
      pad("floors and goals", 84) + pad("found", 12) + pad("floor", 10) + pad("goal", 10)
        + "verdict",
    ]
    var counts: [Goal.Verdict: Int] = [:]
    for goal in goals {
      let found = goal.find(results)
      let verdict = goal.verdict(results)
      counts[verdict, default: 0] += 1
      lines.append(
        pad(goal.what, 84)
          + pad(found.map { Console.short($0.value) + goal.unit } ?? "-", 12)
          + pad(bound(goal.floor, goal), 10) + pad(bound(goal.goal, goal), 10) + verdict.rawValue
          + (found.map { $0.beside.isEmpty ? "" : " (beside \($0.beside))" } ?? ""))
    }
    lines.append(
      "\(counts[.goalMet] ?? 0) goals met, \(counts[.floorMet] ?? 0) floors met, "
        + "\(counts[.missed] ?? 0) missed, \(counts[.open] ?? 0) not measured")
    return lines
  }

  private func failures() -> [String] {
    results.failures.map { "FAILED   \($0.row.title) x\($0.row.threads): \($0.failure ?? "")" }
  }
}

/// What every report says of the engines.
enum Settings {
  static var lines: [String] {
    func line<E: Engine>(_ type: E.Type) -> String { "\(E.name): \(E.settings)" }
    return [line(LugeEngine.self)] + Engines.peers.map { line($0) } + [
      "bare: writes of 4 KiB into a file of 8 MiB written before, each with fdatasync; or direct reads "
        + "of 4 KiB; or additions to one shared word"
    ]
  }
}
