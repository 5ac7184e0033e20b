import Testing

/// What a tape decides may depend on nothing else: no wall clock, no system randomness, no hash
/// seed and no address in the engine and the kits.
///
/// An exception says why: `tidy: allow nondeterminism: REASON`.
enum Nondeterminism {
  static let folders = [
    "Sources/SimulationKit", "Sources/HistoryKit", "Sources/EngineKit", "Sources/Luge",
  ]

  /// Names that are never used.
  static let banned: [String: String] = [
    "SystemRandomNumberGenerator": "system randomness",
    "ContinuousClock": "wall clock",
    "SuspendingClock": "wall clock",
    "Date": "wall clock",
    "ProcessInfo": "environment",
    "UUID": "system randomness",
    "hashValue": "hash seed",
    "Hasher": "hash seed",
    "ObjectIdentifier": "address",
    "RealFileSystem": "the real world",
    "RealClock": "the real world",
    "RealEntropy": "the real world",
    "RealThreads": "the real world",
  ]

  /// Methods that draw from the system unless they are told from what.
  static let drawing: Set = ["random", "shuffled", "shuffle", "randomElement"]

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for folder in folders {
      for file in tree.swift(under: folder) { violations += check(file) }
    }
    return violations
  }

  private static func check(_ file: SourceFile) -> [Violation] {
    var violations: [Violation] = []
    for (index, token) in file.tokens.enumerated() where token.kind == .word {
      var message: String?
      if let reason = banned[token.text], !isHashableWitness(file, index) {
        message = "\(token.text): \(reason)"
      } else if drawing.contains(token.text), file.matches(index - 1, "."),
        file.matches(index + 1, "("), !arguments(file, index + 1).contains("using")
      {
        message = ".\(token.text) without using: draws from the system"
      }
      if let message, !file.allows("nondeterminism", line: token.line) {
        violations.append(Violation(file, token.line, message))
      }
    }
    return violations
  }

  /// `func hash(into hasher: inout Hasher)` makes a type usable as a key and orders nothing.
  private static func isHashableWitness(_ file: SourceFile, _ index: Int) -> Bool {
    file.matches(index - 1, "inout", "Hasher")
  }

  /// The words of an argument list whose parenthesis opens at `index`.
  private static func arguments(_ file: SourceFile, _ index: Int) -> [String] {
    var words: [String] = []
    var depth = 0
    for token in file.tokens[index...] {
      if token.kind == .symbol, token.text == "(" { depth += 1 }
      if token.kind == .symbol, token.text == ")" { depth -= 1 }
      if depth == 0 { break }
      if token.kind == .word { words.append(token.text) }
    }
    return words
  }
}

@Suite struct NondeterminismTests {
  @Test func holds() { expectNone(Nondeterminism.violations(in: .repository)) }

  @Test(arguments: [
    "let now = Date()", "var generator = SystemRandomNumberGenerator()",
    "let n = Int.random(in: 0..<9)", "let list = [1, 2].shuffled()", "list.shuffle()",
    "let one = list.randomElement()", "let h = key.hashValue",
    "a.sort { ObjectIdentifier($0) < b }",
    "let text = \"at \\(Date())\"", "ContinuousClock.now",
    "// tidy: allow nondeterminism: why\nlet h = key.hashValue",
  ])
  func convicts(code: String) {
    #expect(Nondeterminism.violations(in: SourceTree("Sources/Luge/Tree/A.swift", code)).count == 1)
  }

  @Test(arguments: [
    "let n = Int.random(in: 0..<9, using: &generator)", "list.shuffle(using: &generator)",
    "// Date() in a comment", "let text = \"Date()\"",
    "func hash(into hasher: inout Hasher) {}",
    "// tidy: allow nondeterminism: the order is not used afterwards\nlet h = key.hashValue",
  ])
  func acquits(code: String) {
    expectNone(Nondeterminism.violations(in: SourceTree("Sources/Luge/Tree/A.swift", code)))
  }
}
