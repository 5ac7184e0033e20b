import Testing

/// The names of fault points and probes that the engine's code uses are the names in its list.
/// A dead name could never fire; a name that is not listed would never be missed.
enum Seams {
  static let folder = "Sources/Luge"
  static let list = "Sources/Luge/Database/SeamNames.swift"

  static func violations(in tree: SourceTree) -> [Violation] {
    compare(tree, call: "faultPoint", wrappers: wrappers(in: tree), list: "faultPoints")
      + compare(tree, call: "probe", wrappers: [], list: "probes")
  }

  /// Functions of the engine that take a name and hand it to `faultPoint`, as
  /// `func failurePoint(_ name: StaticString, …)`.
  private static func wrappers(in tree: SourceTree) -> Set<String> {
    var wrappers: Set<String> = []
    for file in tree.swift(under: folder) {
      for index in file.tokens.indices where file.matches(index, "func") {
        if file.matches(index + 2, "(", "_", "name", ":", "StaticString") {
          wrappers.insert(file.tokens[index + 1].text)
        }
      }
    }
    return wrappers
  }

  private static func compare(
    _ tree: SourceTree, call: String, wrappers: Set<String>, list name: String
  ) -> [Violation] {
    var violations: [Violation] = []
    let listed = tree[list].map { listedNames($0, name) } ?? []
    var used: Set<String> = []
    for file in tree.swift(under: folder) where file.path != list {
      for (index, token) in file.tokens.enumerated()
      where token.kind == .word && (token.text == call || wrappers.contains(token.text)) {
        guard file.matches(index + 1, "("), !file.matches(index - 1, "func") else { continue }
        let argument = file.tokens[index + 2]
        guard argument.kind == .string else {
          if wrappers.isEmpty || argument.text != "name" {
            violations.append(Violation(file, argument.line, "\(call) without a literal name"))
          }
          continue
        }
        used.insert(argument.text)
        if !listed.contains(argument.text) {
          violations.append(
            Violation(file, argument.line, "\(call) \"\(argument.text)\" is not in \(list)"))
        }
      }
    }
    for (index, listedName) in listed.enumerated() {
      if !used.contains(listedName) {
        violations.append(Violation(list, "no \(call) is called \"\(listedName)\""))
      }
      if listed[..<index].contains(listedName) {
        violations.append(Violation(list, "\"\(listedName)\" is listed twice"))
      }
    }
    return violations
  }

  /// The strings of `let NAME: [String] = [ … ]`.
  private static func listedNames(_ file: SourceFile, _ name: String) -> [String] {
    guard
      let start = file.tokens.indices.first(where: {
        file.matches($0, "let", name) && !file.matches($0 + 2, "(")
      })
    else { return [] }
    var names: [String] = []
    var opened = false
    for token in file.tokens[start...] {
      if token.kind == .symbol, token.text == "=" { opened = true }
      if opened, token.kind == .symbol, token.text == "]" { break }
      if opened, token.kind == .string { names.append(token.text) }
    }
    return names
  }
}

@Suite struct SeamsTests {
  @Test func holds() { expectNone(Seams.violations(in: .repository)) }

  private func found(_ list: String, _ code: String) -> [String] {
    let tree = SourceTree([
      SourceFile(Seams.list, "enum SeamNames {\n\(list)\n}"),
      SourceFile("Sources/Luge/Log/A.swift", code),
    ])
    return Seams.violations(in: tree).map(\.message)
  }

  @Test func convicts() {
    let list = """
      static let faultPoints: [String] = ["log.write", "log.dead"]
      static let probes: [String] = ["log.rolled", "log.rolled"]
      """
    let code = "try faultPoint(\"log.write\")\ntry faultPoint(\"log.sync\")\nprobe(\"log.rolled\")"
    #expect(
      found(list, code) == [
        "faultPoint \"log.sync\" is not in \(Seams.list)",
        "no faultPoint is called \"log.dead\"",
        "\"log.rolled\" is listed twice",
      ])
    #expect(found("", "probe(\"a\")") == ["probe \"a\" is not in \(Seams.list)"])
    #expect(found("", "probe(name)") == ["probe without a literal name"])
    #expect(found("", "faultPoint(name)") == ["faultPoint without a literal name"])
  }

  @Test func seesThroughWrappers() {
    let code = """
      func fail(_ name: StaticString) throws { try faultPoint(name) }
      try fail("log.full")
      """
    #expect(found("", code) == ["faultPoint \"log.full\" is not in \(Seams.list)"])
    #expect(found("static let faultPoints: [String] = [\"log.full\"]", code) == [])
  }
}
