import Foundation
import Testing

/// Folders, files and tests that the papers name exist.
enum PaperReferences {
  /// What stands between back-quotes, outside blocks of code.
  static func quoted(in text: String) -> [String] {
    var quoted: [String] = []
    var isBlock = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isBlock.toggle() }
      if isBlock { continue }
      for (index, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      where index % 2 == 1 {
        quoted.append(String(part))
      }
    }
    return quoted
  }

  static func violations(
    _ paper: String, _ text: String, in tree: SourceTree, under root: URL
  ) -> [Violation] {
    // A folder of programs, beside those of tests.
    var suites: Set<String> = [CrashSubjects.folder]
    for file in tree.swift(under: "Tests") {
      suites.insert(String(file.path.split(separator: "/")[1]))
      for index in file.tokens.indices where file.matches(index, "struct") {
        if index + 1 < file.tokens.count { suites.insert(file.tokens[index + 1].text) }
      }
    }
    return quoted(in: text).compactMap { name in
      let isPath = ["Sources/", "Tests/", "Simulations/"].contains(where: name.hasPrefix)
      if isPath, !FileManager.default.fileExists(atPath: root.appending(path: name).path) {
        return Violation(paper, "\(name) does not exist")
      }
      if name.hasSuffix("Tests"), name != "Tests", !name.contains("/"), !suites.contains(name) {
        return Violation(paper, "there is no test suite \(name)")
      }
      return nil
    }
  }
}

@Suite struct PaperReferencesTests {
  @Test(arguments: ReadmeCommands.papers)
  func holds(paper: String) throws {
    expectNone(
      PaperReferences.violations(
        paper, try SourceTree.text(paper), in: .repository, under: SourceTree.root))
  }

  @Test func convicts() {
    let text = """
      See `Sources/Nowhere/A.swift`, `NoSuchTests`, `PaperReferencesTests`, `Tests/TidyTests`.
      ```
      `Sources/InABlock`
      ```
      """
    let found = PaperReferences.violations(
      "README.md", text, in: .repository, under: SourceTree.root)
    #expect(
      found.map(\.message) == [
        "Sources/Nowhere/A.swift does not exist", "there is no test suite NoSuchTests",
      ])
  }
}
