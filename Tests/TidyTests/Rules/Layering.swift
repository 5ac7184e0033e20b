import Testing

/// Inside the engine, a layer names only what is declared in itself or in layers below it.
///
/// SwiftPM keeps the modules apart; this keeps the folders of one module apart.
enum Layering {
  /// From the top; the same list is in ARCHITECTURE.md.
  static let layers = [
    "Database", "Recovery", "Checkpoint", "Cleaning", "Catalogue", "Tree", "PageCache", "PageStore",
    "Log", "Memory", "Coding", "Errors",
  ]

  static let folder = "Sources/Luge"
  private static let declarers: Set = ["struct", "class", "enum", "protocol", "actor", "typealias"]

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    var owners: [String: Set<Int>] = [:]  // name of a type -> rows that declare it
    var files: [(file: SourceFile, row: Int, layer: String)] = []
    for file in tree.swift(under: folder) {
      let parts = file.path.dropFirst(folder.count + 1).split(separator: "/")
      let layer = parts.count > 1 ? String(parts[0]) : ""
      guard let row = layers.firstIndex(of: layer) else {
        violations.append(
          Violation(file.path, "in no layer; see Tests/TidyTests/Rules/Layering.swift"))
        continue
      }
      files.append((file, row, layer))
      for name in declaredNames(in: file) { owners[name, default: []].insert(row) }
    }
    // A name that is declared in two layers cannot be told apart here: the lower one counts.
    let row = owners.mapValues { $0.max()! }
    for (file, own, layer) in files {
      for token in file.tokens where token.kind == .word {
        guard let other = row[token.text], other < own else { continue }
        violations.append(
          Violation(
            file, token.line, "\(layer) names \(token.text) of the upper layer \(layers[other])"))
      }
    }
    return violations
  }

  /// Types declared at the top level of a file.
  private static func declaredNames(in file: SourceFile) -> [String] {
    var names: [String] = []
    var depth = 0
    for (index, token) in file.tokens.enumerated() {
      if token.kind == .symbol {
        if token.text == "{" { depth += 1 }
        if token.text == "}" { depth -= 1 }
      } else if depth == 0, token.kind == .word, declarers.contains(token.text),
        index + 1 < file.tokens.count
      {
        names.append(file.tokens[index + 1].text)
      }
    }
    return names
  }
}

@Suite struct LayeringTests {
  @Test func holds() { expectNone(Layering.violations(in: .repository)) }

  @Test func theArchitectureSaysTheSame() throws {
    let text = try SourceTree.text("ARCHITECTURE.md").replacing("`", with: "")
    #expect(text.contains(Layering.layers.joined(separator: " > ") + " > Platform"))
  }

  @Test func convicts() {
    let tree = SourceTree([
      SourceFile("Sources/Luge/Tree/Leaf.swift", "struct Leaf { enum Inner {} }"),
      SourceFile("Sources/Luge/Log/Ring.swift", "struct Ring {\n  let leaf: Leaf\n}"),
      SourceFile("Sources/Luge/Database/Top.swift", "struct Top { let ring: Ring, leaf: Leaf }"),
      SourceFile("Sources/Luge/Stray.swift", ""),
    ])
    #expect(
      Layering.violations(in: tree).map(\.description) == [
        "Sources/Luge/Stray.swift: in no layer; see Tests/TidyTests/Rules/Layering.swift",
        "Sources/Luge/Log/Ring.swift:2: Log names Leaf of the upper layer Tree",
      ])
  }
}
