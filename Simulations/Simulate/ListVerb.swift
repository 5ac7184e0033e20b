internal import ArgumentParser
internal import EngineAdapters
internal import EngineKit
internal import Interleavings
internal import Scenarios
internal import SimulationKit

/// `simulate list`: the scenarios and the engines.
struct ListVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists scenarios and engines.")

  func run() throws {
    var lines = ["Scenarios"]
    for scenario in Catalogue.all {
      let notes = scenario.mustFail ? "  (must fail)" : scenario.cost == .long ? "  (long)" : ""
      lines.append("  \(pad(scenario.name, to: 20)) \(scenario.workload.summary)\(notes)")
    }
    lines.append("Programs (simulate interleavings)")
    for program in ProgramCatalogue.all {
      lines.append("  \(pad(program.name, to: 20)) \(program.summary)")
    }
    lines.append(
      "Pairs (simulate interleavings --strategy exhaustive): three calls of one kind beside three of another"
    )
    lines += wrapped(ProgramCatalogue.pairs.map(\.name))
    lines.append(
      "Single calls (simulate interleavings --strategy dpor): one call beside another")
    lines += wrapped(ProgramCatalogue.singles.map(\.name))
    lines.append("Databases (simulate damage)")
    for recipe in DatabaseRecipe.all {
      lines.append("  \(pad(recipe.name, to: 20)) \(recipe.summary)")
    }
    lines.append("Runs (simulate nth-failure)")
    for run in FailureRuns.all { lines.append("  \(pad(run.name, to: 20)) \(run.summary)") }
    lines.append("Engines")
    for engine in EngineRegistry.all {
      let simulated = engine.capabilities.contains(.simulatable)
      lines.append("  \(pad(engine.name, to: 20))\(simulated ? "" : " (real files only)")")
    }
    Console.result(lines.joined(separator: "\n"))
  }

  private func wrapped(_ names: [String]) -> [String] {
    var lines: [String] = []
    for name in names {
      if let last = lines.last, last.count + name.count < 99 {
        lines[lines.count - 1] += " " + name
      } else {
        lines.append("  " + name)
      }
    }
    return lines
  }
}

/// Fills a text with spaces at its end, or at its start.
func pad(_ text: String, to width: Int, right: Bool = false) -> String {
  let fill = String(repeating: " ", count: max(0, width - text.count))
  return right ? fill + text : text + fill
}
