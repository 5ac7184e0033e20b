internal import ArgumentParser
internal import Foundation
internal import HistoryKit
internal import SimulationFormats

/// `simulate history`.
struct HistoryVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Makes a history of one register with compare-exchange, to measure checkers with.",
    discussion:
      "Prints lines of JSON, as `simulate check` reads them. Every write has a value of its own.")

  @Option(help: "Clients that work at once.")
  var clients = 32

  @Option(help: "Operations of all clients.")
  var operations = 1000

  @Option(help: "Operations whose outcome stays unknown.")
  var unknown = 0

  @Option(help: "Operations under way at once, on average.")
  var overlap = 16

  @Option(help: "The same arguments make the same history.")
  var seed: UInt64 = 1

  @Flag(help: "In the last tenth one read finds a value that was replaced long before.")
  var violation = false

  func run() throws {
    if clients < 1 || operations < 0 || unknown < 0 || overlap < 1 || overlap > clients {
      throw UsageFailure(
        "clients and overlap are at least 1, and overlap is at most the number of clients")
    }
    let maker = HistoryMaker(
      clients: clients, operations: operations, unknown: min(unknown, operations),
      overlap: overlap, seed: seed, isWrong: violation)
    var text: [UInt8] = []
    for line in maker {
      HistoryJSON.append(line, to: &text)
      if text.count > 1 << 16 {
        FileHandle.standardOutput.write(Data(text))
        text.removeAll(keepingCapacity: true)
      }
    }
    FileHandle.standardOutput.write(Data(text))
  }
}
