import Foundation

/// How the results are printed: a table, or one JSON object a line.
struct Report {
  let options: Options

  func head(_ contestants: [any Contestant]) {
    if options.isJSON {
      for contestant in contestants {
        print(
          "{\"engine\":\"\(contestant.name)\",\"settings\":\"\(escaped(contestant.settings))\"}")
      }
      return
    }
    print(
      "\(options.entries) entries, keys of \(Item.keySize) and values of \(Item.valueSize) bytes,",
      "\(options.pairs) pairs, seed \(options.seed)")
    print("rates are medians, 1,000 a second; the ratio is the median of the pairs' ratios")
    for contestant in contestants { print("\(contestant.name): \(contestant.settings)") }
  }

  func tell(_ results: [Result], peer: String) {
    if options.isJSON {
      for result in results {
        if let line = line(result, "luge", result.luge, [1, 1, 1]) { print(line) }
        let quartiles = [0.25, 0.5, 0.75].compactMap { Result.quantile($0, of: result.ratios) }
        if let line = line(result, peer, result.theirs, quartiles) { print(line) }
      }
      fflush(nil)
      return
    }
    print()
    print(
      pad("workload", 14) + lead("threads", 7) + lead("luge", 11) + lead(peer, 12)
        + lead("luge/\(peer)", 17) + "   quartiles      counted")
    for result in results {
      let ratio = Result.quantile(0.5, of: result.ratios)
      var quartiles = "-"
      if let low = Result.quantile(0.25, of: result.ratios),
        let high = Result.quantile(0.75, of: result.ratios)
      {
        quartiles = "\(decimals(low, 2))-\(decimals(high, 2))"
      }
      print(
        pad(result.workload.rawValue, 14) + lead("\(result.threads)", 7)
          + lead(thousands(result.luge), 11) + lead(thousands(result.theirs), 12)
          + lead(ratio.map { decimals($0, 2) } ?? "-", 17) + "   " + pad(quartiles, 15)
          + result.workload.unit)
    }
    fflush(nil)
  }

  private func line(
    _ result: Result, _ engine: String, _ rates: [Double], _ quartiles: [Double]
  ) -> String? {
    guard let rate = Result.quantile(0.5, of: rates) else { return nil }
    var line =
      "{\"workload\":\"\(result.workload.rawValue)\",\"engine\":\"\(engine)\""
      + ",\"threads\":\(result.threads),\"opsPerSecond\":\(decimals(rate, 0))"
    if quartiles.count == 3 {
      line +=
        ",\"lugeOverThis\":\(decimals(quartiles[1], 4))"
        + ",\"lugeOverThisLowerQuartile\":\(decimals(quartiles[0], 4))"
        + ",\"lugeOverThisUpperQuartile\":\(decimals(quartiles[2], 4))"
    }
    return line
      + ",\"peer\":\"\(result.peer)\",\"pairs\":\(rates.count),\"entries\":\(options.entries)}"
  }

  private func thousands(_ rates: [Double]) -> String {
    Result.quantile(0.5, of: rates).map { decimals($0 / 1000, 1) } ?? "-"
  }

  private func decimals(_ number: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", number)
  }

  private func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
  }

  private func lead(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 1)) + text
  }
}
