import Testing

/// Every `unsafe` is explained: each use, or each short run of uses, by a comment right above or
/// beside it; or all uses of a file by one comment that begins with "Safe:" and says who
/// guarantees what. In the folders that exist for raw memory any comment of the file will do.
enum UnsafeCode {
  static let folders = [
    "Sources/Luge", "Sources/EngineKit", "Sources/HistoryKit", "Sources/SimulationKit",
    "Sources/EngineAdapters", "Sources/LugeTool", "Simulations", "CrashTests",
  ]
  /// Where raw memory is the subject. Sources/Platform is the seam itself.
  static let confined = [
    "Sources/Platform", "Sources/Luge/Memory", "Sources/Luge/Coding", "Sources/Luge/Tree",
    "Sources/Luge/Log", "Sources/Luge/PageCache",
  ]
  /// Uses at most so many lines apart make a run, and one comment covers so many lines of it.
  static let gap = 4
  static let reach = 12

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for file in tree.files where file.path.hasSuffix(".swift") {
      if confined.contains(where: file.isUnder) {
        violations += checkConfined(file)
      } else if folders.contains(where: file.isUnder) {
        violations += check(file)
      }
    }
    return violations
  }

  private static func uses(in file: SourceFile) -> [Int] {
    var lines: [Int] = []
    for (index, token) in file.tokens.enumerated() {
      guard token.kind == .word, token.text == "unsafe", !file.matches(index - 1, "@") else {
        continue
      }
      if lines.last != token.line { lines.append(token.line) }
    }
    return lines
  }

  private static func check(_ file: SourceFile) -> [Violation] {
    if file.comments.contains(where: statesSafety) { return [] }
    var unexplained: [Int] = []
    var explained: Int?  // the line of the last use with a comment of its own
    var former = 0  // the line of the last use that is covered
    for line in uses(in: file) {
      if isReason(file.explanation(ofLine: line)) || isReason(commentBelow(file, line)) {
        explained = line
        former = line
      } else if let comment = explained, line - comment <= reach, line - former <= gap {
        former = line
      } else {
        unexplained.append(line)
      }
    }
    guard let first = unexplained.first else { return [] }
    return [
      Violation(file, first, "\(unexplained.count) lines with unsafe and no word why it is safe")
    ]
  }

  private static func checkConfined(_ file: SourceFile) -> [Violation] {
    guard let first = uses(in: file).first else { return [] }
    if file.comments.contains(where: isReason) { return [] }
    return [Violation(file, first, "unsafe in a file that says nowhere who guarantees safety")]
  }

  /// A closure's reason may open its body.
  private static func commentBelow(_ file: SourceFile, _ line: Int) -> String {
    guard line + 1 < file.comments.count, !file.hasCode[line + 1] else { return "" }
    return file.comments[line + 1]
  }

  /// A statement for the whole file: at least six words on the line that begins it.
  private static func statesSafety(_ comment: String) -> Bool {
    guard let marker = comment.range(of: "// Safe:") else { return false }
    return comment[marker.upperBound...].split(separator: " ").count >= 6
  }

  /// At least four words: "// unsafe" explains nothing.
  private static func isReason(_ comment: String) -> Bool {
    comment.split { " /*".contains($0) }.count >= 4
  }
}

@Suite struct UnsafeCodeTests {
  @Test func holds() { expectNone(UnsafeCode.violations(in: .repository)) }

  @Test(arguments: [
    "let a = unsafe pointer[0]",
    "// unsafe\nlet a = unsafe pointer[0]",
    "/// Safe: fine.\nstruct A {}\nlet a = unsafe pointer[0]",
    "// The pointer lives as long as self.\nlet a = unsafe p[0]\n\n\n\n\nlet b = unsafe p[1]",
  ])
  func convicts(code: String) {
    #expect(UnsafeCode.violations(in: SourceTree("Sources/HistoryKit/A.swift", code)).count == 1)
  }

  @Test func convictsConfined() {
    let tree = SourceTree("Sources/Luge/Memory/A.swift", "let a = unsafe pointer[0]")
    #expect(UnsafeCode.violations(in: tree).count == 1)
  }

  @Test(arguments: [
    "// The buffer outlives the call: the caller holds it.\nlet a = unsafe pointer[0]",
    "let a = unsafe pointer[0]  // the buffer outlives the call",
    "let a = \"unsafe\"",
    "/// Safe: the buffer lives as long as its owner.\nstruct A {}\nlet a = unsafe p[0]",
    "// The pointer lives as long as self.\nlet a = unsafe p[0]\nlet b = unsafe p[1]",
  ])
  func acquits(code: String) {
    expectNone(UnsafeCode.violations(in: SourceTree("Sources/HistoryKit/A.swift", code)))
  }
}
