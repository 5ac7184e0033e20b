internal import EngineKit
internal import HistoryKit
internal import Platform

/// What is said of a round that failed: property, place, how to look at it, how to have it again.
extension Supervisor {
  var failureText: String {
    var lines = findings.prefix(6).map { "FAILED   " + $0 }
    if findings.allSatisfy({ $0.hasPrefix("coverage") }) { return lines.joined(separator: "\n") }
    lines.append(
      "place    seed \(options.seed), round \(round), directory \(epoch.number), life \(life - 1), "
        + lastKill)
    for line in judge.history.lines.suffix(6) { lines.append("history  \(cut(line))") }
    lines.append("kept     \(database), and \(image) as it was before the last recovery")
    let engine = factory.name == ProgramOptions.defaultEngine ? "" : " --engine \(factory.name)"
    let same = "--seed \(options.seed)\(engine)"
    lines.append(
      "look     \(options.program) --check \(image) \(same) --epoch \(epoch.number)")
    if factory.name == ProgramOptions.defaultEngine {
      lines.append("look     lugectl verify \(image)")
    }
    lines.append(
      "repeat   \(options.program) \(same) --from \(epoch.rounds.lowerBound) "
        + "--rounds \(round + 1 - epoch.rounds.lowerBound)")
    return lines.joined(separator: "\n")
  }

  private func cut(_ line: String) -> String {
    line.count > 160 ? String(line.prefix(157)) + "..." : line
  }
}
