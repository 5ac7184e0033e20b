import Testing

/// Nobody walks a Dictionary or a Set in the engine and the kits, unless sorted on the spot: their
/// order differs in every process.
///
/// A heuristic: it knows the names that the file itself declares as hashed containers. An
/// exception says why order does not matter: `tidy: allow hashed order: REASON`.
enum HashedOrder {
  private static let walkers: Set = [
    "map", "compactMap", "flatMap", "forEach", "reduce", "filter", "first", "enumerated", "joined",
    "keys", "values", "prefix", "randomElement", "popFirst", "lazy", "makeIterator", "description",
  ]
  /// After these the order of the walk cannot be seen.
  private static let orderless: Set = [
    "sorted", "isEmpty", "count", "contains", "allSatisfy", "min", "max", "subtracting", "union",
    "formUnion", "removeAll", "removeValue",
  ]

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for folder in Nondeterminism.folders {
      for file in tree.swift(under: folder) { violations += check(file) }
    }
    return violations
  }

  private static func check(_ file: SourceFile) -> [Violation] {
    let names = hashedNames(in: file)
    if names.isEmpty { return [] }
    var violations: [Violation] = []
    for (index, token) in file.tokens.enumerated()
    where token.kind == .word && names.contains(token.text) {
      guard walks(file, index), !isSorted(file, index),
        !file.allows("hashed order", line: token.line)
      else { continue }
      violations.append(
        Violation(file, token.line, "walks \(token.text), whose order differs in every process"))
    }
    return violations
  }

  /// Names declared as `name: [K: V]`, `name: Set<…>`, `name = Set<…>`, `name = [K: V]()`, and the like.
  static func hashedNames(in file: SourceFile) -> Set<String> {
    var names: Set<String> = []
    for (index, token) in file.tokens.enumerated() where token.kind == .word {
      let isValue = file.matches(index - 1, "var") || file.matches(index - 1, "let")
      let isTyped = file.matches(index + 1, ":") && !file.matches(index - 1, "case")
      guard isTyped || (isValue && file.matches(index + 1, "=")) else { continue }
      var start = index + 2
      while file.matches(start, "inout") || file.matches(start, "borrowing") { start += 1 }
      if file.matches(start, "Set") || file.matches(start, "Dictionary") {
        names.insert(token.text)
      } else if file.matches(start, "["), isDictionaryType(file, start),
        isTyped || file.matches(start, "[", ":", "]") || isCalled(file, start)
      {
        names.insert(token.text)
      }
    }
    return names
  }

  /// Whether the bracket at `index` holds a colon of its own, as in `[String: Int]`.
  private static func isDictionaryType(_ file: SourceFile, _ index: Int) -> Bool {
    var depth = 0
    for token in file.tokens[index...] where token.kind == .symbol {
      switch token.text {
      case "[", "(", "<": depth += 1
      case "]", ")", ">":
        depth -= 1
        if depth == 0 { return false }
      case ":" where depth == 1: return true
      case "{", "}": return false
      default: break
      }
    }
    return false
  }

  /// Whether the bracket that opens at `index` is followed by a call, as in `[String: Int]()`.
  private static func isCalled(_ file: SourceFile, _ index: Int) -> Bool {
    var depth = 0
    var at = index
    while at < file.tokens.count {
      if file.matches(at, "[") { depth += 1 }
      if file.matches(at, "]") {
        depth -= 1
        if depth == 0 { return file.matches(at + 1, "(") }
      }
      at += 1
    }
    return false
  }

  private static func walks(_ file: SourceFile, _ index: Int) -> Bool {
    if file.matches(index + 1, "."), index + 2 < file.tokens.count {
      let method = file.tokens[index + 2].text
      // `first { … }` takes what comes first; `first` as a label or with an index does not exist.
      return walkers.contains(method)
    }
    var before = index - 1
    while file.matches(before, ".") || file.matches(before, "self") { before -= 1 }
    if file.matches(before, "in"), file.matches(index + 1, "{") || file.matches(index + 1, "where")
    {
      return true  // for … in name {
    }
    return file.matches(before, "Array", "(", file.tokens[index].text)
      || (file.matches(before, "(") && file.matches(before - 1, "Array"))
  }

  /// Whether the same expression, up to the end of the line or of a chain below it, sorts or counts.
  private static func isSorted(_ file: SourceFile, _ index: Int) -> Bool {
    var line = file.tokens[index].line
    for token in file.tokens[index...] {
      if token.line > line + (token.text == "." ? 1 : 0) { break }
      line = token.line
      if token.kind == .word, orderless.contains(token.text) { return true }
    }
    return file.matches(index - 2, "sorted", "(")
  }
}

@Suite struct HashedOrderTests {
  @Test func holds() { expectNone(HashedOrder.violations(in: .repository)) }

  @Test(arguments: [
    "var seen: [String: Int] = [:]\nfor (k, v) in seen { print(k, v) }",
    "var seen: Set<Int> = []\nfor k in self.seen where k > 2 {}",
    "let seen = Set<Int>()\nlet all = seen.map { $0 }",
    "func f(_ seen: [Int: Int]) {\n  for v in seen.values {}\n}",
    "var seen = [String: Int]()\nlet first = seen.first { $0.value > 1 }",
    "let seen: Dictionary<Int, Int>\nlet all = Array(seen)",
  ])
  func convicts(code: String) {
    let tree = SourceTree("Sources/HistoryKit/A.swift", code)
    #expect(HashedOrder.violations(in: tree).count == 1)
  }

  @Test(arguments: [
    "var seen: [String: Int] = [:]\nfor k in seen.keys.sorted() {}",
    "var seen: [Int] = []\nfor k in seen {}",
    "var seen: [String: Int] = [:]\nlet old = seen[\"a\"]",
    "var seen: [Int: Int] = [:]\n// tidy: allow hashed order: a sum has no order\nfor v in seen {}",
    "let seen: OrderedDictionary<Int, Int>\nfor v in seen {}",
    "let entry = [(first: 1, second: f(a: 2))]\nfor v in entry {}",
  ])
  func acquits(code: String) {
    expectNone(HashedOrder.violations(in: SourceTree("Sources/HistoryKit/A.swift", code)))
  }
}
