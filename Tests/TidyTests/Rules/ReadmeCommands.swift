import Foundation
import Testing

/// Every command of ci/ that the papers name is there and can be executed, and so is every other
/// file of ci/.
enum ReadmeCommands {
  static let papers = ["README.md", "CONTRIBUTING.md", "SAFETY.md", "ARCHITECTURE.md"]

  /// The words `ci/NAME` of a text.
  static func commands(in text: String) -> Set<String> {
    var commands: Set<String> = []
    for word in text.split(whereSeparator: { !"abcdefghijklmnopqrstuvwxyz/-.".contains($0) }) {
      var parts = word.split(separator: "/", omittingEmptySubsequences: false)
      if parts.first == "." || parts.first == "" { parts.removeFirst() }
      guard parts.count == 2, parts[0] == "ci", !parts[1].isEmpty else { continue }
      let name = parts[1].drop { $0 == "." }
      commands.insert("ci/" + String(name.last == "." ? name.dropLast() : name))
    }
    return commands
  }

  static func violations(_ paper: String, _ text: String, under root: URL) -> [Violation] {
    commands(in: text).sorted().compactMap { command in
      FileManager.default.isExecutableFile(atPath: root.appending(path: command).path)
        ? nil : Violation(paper, "\(command) is missing or cannot be executed")
    }
  }
}

@Suite struct ReadmeCommandsTests {
  @Test(arguments: ReadmeCommands.papers)
  func holds(paper: String) throws {
    let text = try SourceTree.text(paper)
    expectNone(ReadmeCommands.violations(paper, text, under: SourceTree.root))
  }

  @Test func theReadmeNamesTheTwoCommands() throws {
    let commands = ReadmeCommands.commands(in: try SourceTree.text("README.md"))
    #expect(commands.isSuperset(of: ["ci/simulate", "ci/test"]))
  }

  @Test func everyCommandCanBeExecuted() throws {
    let folder = SourceTree.root.appending(path: "ci")
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
      #expect(
        FileManager.default.isExecutableFile(atPath: folder.appending(path: name).path),
        "ci/\(name)")
    }
  }

  @Test func convicts() {
    let text = "Run `./ci/test`, then ci/nothing. Not ci/ and not Sources/ci/test or spicy/ci/x."
    #expect(ReadmeCommands.commands(in: text) == ["ci/test", "ci/nothing"])
    #expect(
      ReadmeCommands.violations("README.md", text, under: SourceTree.root).map(\.message) == [
        "ci/nothing is missing or cannot be executed"
      ])
  }
}
