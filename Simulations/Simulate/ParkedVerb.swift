internal import ArgumentParser
internal import EngineKit
internal import Foundation
internal import SimulationKit

/// `simulate parked`: the table of what may block, from trying it.
struct ParkedVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "parked",
    abstract: "Stops a thread for good at each schedule point; says what others still finish.",
    discussion: """
      Prints a table in Markdown: a row for what the stopped thread was doing, a column for what another one \
      does then. "ends" is followed by the most schedule points that it took; "blocked a/b" says at how \
      many of the points it did not end. Exits with 1 when something that must never block did.
      """)

  @Option(help: "The engine under test.")
  var engine = "luge"

  /// What the table in PROTOCOLS calls lock-free, its pages resident.
  static let lockFree: [ProgramAction] = [
    .get, .scanForward, .scanBackward, .insert, .largeInsert, .remove, .exchange,
  ]

  func run() throws {
    try BuildFlavour.requireSchedulePoints(
      for: CommandLine.arguments.dropFirst().joined(separator: " "))
    let factory = try Lookup.engine(engine)
    let running = ParkedVerb.lockFree + [.batch, .evict, .clean, .flush, .checkpoint]
    var lines = [
      "| stopped in | points | " + running.map(\.rawValue).joined(separator: " | ") + " |",
      "|---|---|" + running.map { _ in "---|" }.joined(),
    ]
    var notes: [String] = []
    var hasBlocked = false
    for stopped in running {
      var cells: [String] = []
      var points = 0
      for action in running {
        let cell = ParkedThread.cell(factory, stopped: stopped, running: action)
        points = max(points, cell.points)
        if cell.blocked > 0 {
          cells.append("blocked \(cell.blocked)/\(cell.points)")
          notes.append(
            "- \(stopped.rawValue) stopped, \(action.rawValue) blocked: after "
              + cell.places.joined(separator: ", "))
          if ParkedVerb.lockFree.contains(action) { hasBlocked = true }
        } else {
          cells.append("ends \(cell.mostCalls)")
        }
        for problem in cell.problems {
          hasBlocked = true
          notes.append("- \(stopped.rawValue) stopped, \(action.rawValue): \(problem)")
        }
      }
      lines.append("| \(stopped.rawValue) | \(points) | " + cells.joined(separator: " | ") + " |")
      Console.error("simulate: stopped \(stopped.rawValue) at \(points) points")
    }
    Console.result((lines + [""] + notes).joined(separator: "\n"))
    if hasBlocked { throw ExitStatus.violated }
  }
}
