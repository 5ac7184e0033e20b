/// One JSON object a line: a row and an engine.
struct JSONReport {
  let options: Options
  let results: Results

  func lines() -> [String] {
    results.rows.flatMap { row in results.engines(row).map { line(row, $0) } }
  }

  private func line(_ row: Row, _ engine: String) -> String {
    func median(_ value: (Sample) -> Double?) -> Double? { results.median(row, engine, value) }
    func number(_ value: Double?, _ places: Int = 0) -> String {
      value.map { Console.decimals($0, places) } ?? "null"
    }
    let ratios = engine == Engines.luge ? [1] : results.ratios(row, engine)
    var fields: [(String, String)] = [
      ("workload", quoted(row.workload.rawValue)), ("engine", quoted(engine)),
      ("threads", "\(row.threads)"),
      ("opsPerSecond", number(median { $0.measurement.rate }, 1)),
      ("p50", number(median { $0.measurement.p50 }, 3)),
      ("p99", number(median { $0.measurement.p99 }, 3)),
      ("p999", number(median { $0.measurement.p999 }, 3)),
      ("lugeOverThis", number(Results.quantile(0.5, of: ratios), 4)),
      ("allocatedBytes", number(median { $0.allocatedBytes.map(Double.init) })),
      ("deviceBytes", number(median { Double($0.measurement.writtenBytes) })),
      ("residentBytes", number(median { Double($0.measurement.residentBytes) })),
      // Beyond what every line must have: what tells rows of one workload apart, and the spread.
      ("variant", quoted(row.variant)), ("entries", "\(row.entries)"),
      ("lugeOverThisLowerQuartile", number(Results.quantile(0.25, of: ratios), 4)),
      ("lugeOverThisUpperQuartile", number(Results.quantile(0.75, of: ratios), 4)),
      ("samples", "\(results.of(row, engine).count)"),
    ]
    var names: [String] = []
    for sample in results.of(row, engine) {
      for name in sample.figures.keys.sorted() where !names.contains(name) { names.append(name) }
    }
    for name in names { fields.append((name, number(results.figure(row, engine, name), 5))) }
    return "{" + fields.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
  }

  private func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
