import Testing

/// Every public declaration of the engine, and every fault class of the contract, has a doc comment.
enum Documentation {
  static let folder = "Sources/Luge"
  static let faultClasses = "Sources/EngineKit/Contract/FaultClass.swift"
  private static let declarers: Set = [
    "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let", "init",
    "subscript", "macro",
  ]
  private static let modifiers: Set = [
    "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "override",
    "convenience",
    "required", "indirect", "unsafe", "nonisolated", "class", "private", "internal", "set", "open",
    "isolated", "weak", "unowned", "lazy", "package",
  ]
  /// Requirements of standard protocols mean what the standard library says.
  private static let witnesses: Set = [
    "description", "debugDescription", "hash", "encode", "==", "<", "makeIterator", "next",
    "rawValue",
  ]

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for file in tree.swift(under: folder) {
      for (index, token) in file.tokens.enumerated()
      where token.kind == .word && (token.text == "public" || token.text == "open") {
        // `.open` and `case open` are names.
        if file.matches(index - 1, ".") || file.matches(index - 1, "case") { continue }
        guard let name = declaredName(file, index), !witnesses.contains(name),
          !isDocumented(file, token.line)
        else { continue }
        violations.append(Violation(file, token.line, "public \(name) has no doc comment"))
      }
    }
    if let file = tree[faultClasses] { violations += undocumentedCases(file, of: "FaultClass") }
    return violations
  }

  /// What is declared; nil for an import, an extension, or an access level inside a type's own.
  private static func declaredName(_ file: SourceFile, _ index: Int) -> String? {
    var at = index + 1
    while at < file.tokens.count {
      let text = file.tokens[at].text
      if text == "class", at + 1 < file.tokens.count,
        !declarers.contains(file.tokens[at + 1].text)
      {
        return file.tokens[at + 1].text
      }
      if modifiers.contains(text) || text == "(" || text == ")" {
        at += 1
        continue
      }
      guard declarers.contains(text) else { return nil }
      if text == "init" || text == "subscript" { return text }
      return at + 1 < file.tokens.count ? operatorOrName(file, at + 1) : nil
    }
    return nil
  }

  private static func operatorOrName(_ file: SourceFile, _ index: Int) -> String {
    var name = file.tokens[index].text
    var at = index + 1
    while file.tokens[index].kind == .symbol, at < file.tokens.count,
      file.tokens[at].kind == .symbol, file.tokens[at].text != "("
    {
      name += file.tokens[at].text
      at += 1
    }
    return name
  }

  /// A `///` comment right above the line, or above the attributes that stand above it.
  private static func isDocumented(_ file: SourceFile, _ line: Int) -> Bool {
    var above = line - 1
    while above >= 0 {
      if file.comments[above].hasPrefix("///") || file.comments[above].hasSuffix("*/") {
        return true
      }
      let text = file.lines[above].drop { $0 == " " }
      guard text.hasPrefix("@") || text.hasPrefix("#if") || text.hasPrefix("// tidy:") else {
        return false
      }
      above -= 1
    }
    return false
  }

  static func undocumentedCases(_ file: SourceFile, of type: String) -> [Violation] {
    enumCases(file, of: type).compactMap { (name, line) in
      isDocumented(file, line) ? nil : Violation(file, line, "case \(name) has no doc comment")
    }
  }

  /// The cases of an enum, with their lines. One case a line, as this house writes them.
  static func enumCases(_ file: SourceFile, of type: String) -> [(name: String, line: Int)] {
    var cases: [(String, Int)] = []
    var depth = 0
    var inside = false
    for (index, token) in file.tokens.enumerated() {
      if file.matches(index, "enum", type) { inside = true }
      if token.kind == .symbol, token.text == "{" { depth += 1 }
      if token.kind == .symbol, token.text == "}" {
        depth -= 1
        if depth == 0 { inside = false }
      }
      if inside, depth == 1, file.matches(index, "case") {
        cases.append((file.tokens[index + 1].text, token.line))
      }
    }
    return cases
  }
}

@Suite struct DocumentationTests {
  @Test func holds() { expectNone(Documentation.violations(in: .repository)) }

  @Test(arguments: [
    "public struct A {}", "public final class A {}", "// no doc\npublic func a() {}",
    "struct A {\n  /// Doc.\n  public var a = 1\n  public private(set) var b = 2\n}",
    "@frozen\npublic enum A {}", "public static func + (a: A, b: A) -> A {}", "public init() {}",
    "public class func make() {}",
  ])
  func convicts(code: String) {
    #expect(Documentation.violations(in: SourceTree("Sources/Luge/A.swift", code)).count == 1)
  }

  @Test(arguments: [
    "public import Platform", "/// Doc.\npublic struct A {}", "/// Doc.\n@frozen\npublic enum A {}",
    "public var description: String { \"\" }",
    "public static func == (a: A, b: A) -> Bool { true }",
    "struct A {}", "public extension A {}", "let a = f(State.open)\nprivate let b = 1",
  ])
  func acquits(code: String) {
    expectNone(Documentation.violations(in: SourceTree("Sources/Luge/A.swift", code)))
  }

  @Test func convictsAFaultClass() {
    let code =
      "enum FaultClass {\n  /// Doc.\n  case one\n  case two\n  func f() { switch a { case b: c } }\n}"
    let found = Documentation.violations(in: SourceTree(Documentation.faultClasses, code))
    #expect(found.map(\.line) == [4])
  }
}
