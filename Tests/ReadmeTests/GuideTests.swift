import Foundation
import Luge
import Testing

/// The examples of the guide, `Luge.docc/Luge.md`, compile, run, and are what the guide shows.
@Suite struct GuideTests {
  private static let source = URL(filePath: #filePath)

  @Test func runs() throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "luge-guide-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let result = try guide(in: directory.path)
    #expect(result.former == Array("Ada".utf8) && result.name == Array("Grace".utf8))
    #expect(result.length == 5 && result.total == 11)
    #expect(result.last?.value == Array("Grace".utf8) && result.after == nil)
    #expect(result.counted == [1] && result.exchanged && result.before == Array("Ada".utf8))
  }

  @Test func isWhatTheGuideShows() throws {
    let folder = Self.source.deletingLastPathComponent()
    let page = try String(
      contentsOf: folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/Luge/Luge.docc/Luge.md"), encoding: .utf8)
    let code = try String(contentsOf: folder.appending(path: "Guide.swift"), encoding: .utf8)
    let shown = MarkedText.swiftBlocks(of: page)
    #expect(shown.count > 5)
    let compiled = try #require(
      MarkedText.unindented("  // Guide begins\n", "  // Guide ends\n", in: code))
    #expect(shown.joined(separator: "\n") == compiled)
  }
}
