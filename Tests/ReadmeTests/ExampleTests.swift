import Foundation
import Luge
import Testing

/// The examples of README.md compile, run, and are what README.md shows.
@Suite struct ExampleTests {
  private static let source = URL(filePath: #filePath)

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "luge-readme-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
  }

  @Test func theFirstRuns() throws {
    try withDirectory { directory in
      let result = try firstExample(in: directory)
      #expect(result.colour == Array("red".utf8))
      #expect(result.names == ["banana", "blackberry"])
      #expect(result.removed == Array("red".utf8))
      #expect(result.exchanged)

      let database = try Database.open(at: directory)
      #expect(database.wasRecovered)
      let entries = try database.tree(named: "fruit").entries()
      #expect(
        entries == [
          Entry(key: Array("banana".utf8), value: Array("brown".utf8)),
          Entry(key: Array("blackberry".utf8), value: Array("black".utf8)),
        ])
      try database.close()
    }
  }

  @Test func theSecondRuns() throws {
    try withDirectory { directory in
      let result = try secondExample(in: directory)
      #expect(result.size == 9)
      #expect(result.bytes == 14)
      #expect(result.before == Array("12 crates".utf8))
      #expect(result.now == nil)
    }
  }

  @Test func areWhatTheReadmeShows() throws {
    let folder = Self.source.deletingLastPathComponent()
    let readme = try String(
      contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "README.md"), encoding: .utf8)
    let shown = MarkedText.swiftBlocks(of: readme)
    var compiled: [String] = []
    for file in ["FirstExample.swift", "SecondExample.swift"] {
      let code = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      compiled.append(
        try #require(
          MarkedText.unindented("  // README begins\n", "  // README ends\n", in: code)))
    }
    compiled[0] = "import Luge\n\n" + compiled[0]
    #expect(shown == compiled)
  }
}
