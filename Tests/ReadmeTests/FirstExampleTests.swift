import Foundation
import Luge
import Testing

/// The first example of README.md compiles, runs, and is what README.md shows.
@Suite struct FirstExampleTests {
  private static let source = URL(filePath: #filePath)

  @Test func runs() throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "luge-readme-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let result = try firstExample(in: directory.path)
    #expect(result.colour == Array("red".utf8))
    #expect(result.names == ["banana", "blackberry"])
    #expect(result.removed == Array("red".utf8))
    #expect(result.exchanged)

    let database = try Database.open(at: directory.path)
    #expect(database.wasRecovered)
    let entries = try database.tree(named: "fruit").entries()
    #expect(
      entries == [
        Entry(key: Array("banana".utf8), value: Array("brown".utf8)),
        Entry(key: Array("blackberry".utf8), value: Array("black".utf8)),
      ])
    try database.close()
  }

  @Test func isWhatTheReadmeShows() throws {
    let folder = Self.source.deletingLastPathComponent()
    let readme = try String(
      contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "README.md"), encoding: .utf8)
    let code = try String(contentsOf: folder.appending(path: "FirstExample.swift"), encoding: .utf8)
    let shown = try #require(between("```swift\n", "```\n", in: readme))
    let compiled = try #require(between("  // README begins\n", "  // README ends\n", in: code))
    let unindented = compiled.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("  ") ? String($0.dropFirst(2)) : String($0) }.joined(separator: "\n")
    #expect(shown == "import Luge\n\n" + unindented)
  }

  private func between(_ start: String, _ end: String, in text: String) -> String? {
    guard let opening = text.range(of: start),
      let closing = text.range(of: end, range: opening.upperBound..<text.endIndex)
    else { return nil }
    return String(text[opening.upperBound..<closing.lowerBound])
  }
}
