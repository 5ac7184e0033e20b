import Testing

/// A function is at most 70 lines long, from its first word to its closing brace.
enum FunctionLength {
  static let limit = 70

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for file in tree.files {
      for (index, token) in file.tokens.enumerated() where begins(file, index) {
        guard let last = lastLine(file, index) else { continue }
        let length = last - token.line + 1
        if length > limit {
          let name = file.matches(index, "func") ? file.tokens[index + 1].text : token.text
          violations.append(
            Violation(file, token.line, "\(name) has \(length) lines, at most \(limit)"))
        }
      }
    }
    return violations
  }

  private static func begins(_ file: SourceFile, _ index: Int) -> Bool {
    if file.matches(index, "func") { return index + 1 < file.tokens.count }
    guard
      file.matches(index, "init") || file.matches(index, "deinit")
        || file.matches(index, "subscript")
    else { return false }
    return !file.matches(index - 1, ".")  // self.init(…) is a call
  }

  /// The line of the brace that closes the body; nil when there is none, as in a protocol.
  private static func lastLine(_ file: SourceFile, _ start: Int) -> Int? {
    var depth = 0
    var index = start + 1
    while index < file.tokens.count {
      let token = file.tokens[index]
      if token.kind == .symbol {
        switch token.text {
        case "(", "[": depth += 1
        case ")", "]": depth -= 1
        case "{" where depth == 0: return closing(file, index)
        case "}" where depth == 0: return nil
        default: break
        }
      } else if depth == 0, ["func", "var", "let", "case"].contains(token.text) {
        return nil
      }
      index += 1
    }
    return nil
  }

  private static func closing(_ file: SourceFile, _ open: Int) -> Int? {
    var depth = 0
    for token in file.tokens[open...] where token.kind == .symbol {
      if token.text == "{" { depth += 1 }
      if token.text == "}" { depth -= 1 }
      if depth == 0 { return token.line }
    }
    return nil
  }
}

@Suite struct FunctionLengthTests {
  @Test func holds() { expectNone(FunctionLength.violations(in: .repository)) }

  @Test(arguments: ["func f(a: Int = { 1 }()) throws(E) -> [Int] {", "init() {", "deinit {"])
  func convicts(head: String) {
    let body = String(repeating: "    a()\n", count: FunctionLength.limit - 2)
    let short = "struct A {\n  \(head)\n\(body)  }\n}"
    let long = "struct A {\n  \(head)\n\(body)    a()\n  }\n}"
    expectNone(FunctionLength.violations(in: SourceTree("Sources/A.swift", short)))
    let found = FunctionLength.violations(in: SourceTree("Sources/A.swift", long))
    #expect(found.count == 1 && found.first?.line == 2)
  }

  @Test func takesNoBodyFromTheNextDeclaration() {
    let code =
      "protocol P {\n  func f()\n  var a: Int { get }\n}\n"
      + String(
        repeating: "\n", count: 80)
    expectNone(FunctionLength.violations(in: SourceTree("Sources/A.swift", code)))
  }
}
