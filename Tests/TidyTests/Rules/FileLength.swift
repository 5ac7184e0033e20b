import Testing

/// One thing a file: no source file has more than 600 lines.
enum FileLength {
  static let limit = 600

  static func violations(in tree: SourceTree) -> [Violation] {
    tree.files.filter { $0.length > limit }.map {
      Violation($0.path, "\($0.length) lines, at most \(limit)")
    }
  }
}

@Suite struct FileLengthTests {
  @Test func holds() { expectNone(FileLength.violations(in: .repository)) }

  @Test func convicts() {
    let lines = String(repeating: "let a = 1\n", count: FileLength.limit)
    expectNone(FileLength.violations(in: SourceTree("Sources/A.swift", lines)))
    #expect(FileLength.violations(in: SourceTree("Sources/A.swift", lines + "\n")).count == 1)
  }
}
