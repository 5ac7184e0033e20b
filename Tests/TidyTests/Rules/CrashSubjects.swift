import Testing

/// Every folder of CrashTests is a program that Package.swift lists, and has the name that its folder says: "LargeValues"
/// is `large-values`.
enum CrashSubjects {
  static let folder = "CrashTests"
  static let list = "Package.swift"
  static let support = "Support"

  static func violations(in tree: SourceTree, listed: Set<String>) -> [Violation] {
    var violations: [Violation] = []
    var found: Set<String> = []
    for file in tree.swift(under: folder) {
      let parts = file.path.split(separator: "/").map(String.init)
      guard parts.count > 2, parts[1] != support else { continue }
      let subject = parts[1]
      found.insert(subject)
      guard parts.last == "main.swift" else { continue }
      if !listed.contains(subject) {
        violations.append(Violation(file.path, "\(subject) is not in \(list)"))
      }
      let name = Self.name(of: subject)
      if !file.lines.contains(where: { $0.contains("let name = \"\(name)\"") }) {
        violations.append(Violation(file.path, "does not name its subject \(name)"))
      }
    }
    for subject in listed.subtracting(found).sorted() {
      violations.append(Violation(list, "there is no \(folder)/\(subject)"))
    }
    return violations
  }

  /// What stands in the list: lines of one quoted word between the declaration and the bracket that ends it.
  static func listed(in package: String) -> Set<String> {
    var names: Set<String> = []
    var isInside = false
    for line in package.split(separator: "\n") {
      if line.hasPrefix("let crashSubjects") { isInside = true }
      if line == "]" { isInside = false }
      let parts = line.split(separator: "\"")
      if isInside, parts.count == 3 { names.insert(String(parts[1])) }
    }
    return names
  }

  private static func name(of folder: String) -> String {
    var name = ""
    for letter in folder {
      if letter.isUppercase, !name.isEmpty { name += "-" }
      name += letter.lowercased()
    }
    return name
  }
}

@Suite struct CrashSubjectsTests {
  @Test func holds() throws {
    let listed = CrashSubjects.listed(in: try SourceTree.text("Package.swift"))
    #expect(listed.count >= 9)
    expectNone(CrashSubjects.violations(in: .repository, listed: listed))
  }

  @Test func convicts() {
    let tree = SourceTree([
      SourceFile("CrashTests/LargeValues/main.swift", "let name = \"large-values\""),
      SourceFile("CrashTests/Ids/main.swift", "let name = \"identifiers\""),
      SourceFile("CrashTests/Other/main.swift", "let name = \"other\""),
      SourceFile("CrashTests/Support/Any.swift", ""),
    ])
    let listed = CrashSubjects.listed(
      in: "let crashSubjects = [\n  \"LargeValues\",\n  \"Ids\",\n  \"Gone\",\n]\n  \"No\",")
    #expect(
      CrashSubjects.violations(in: tree, listed: listed).map(\.description) == [
        "CrashTests/Ids/main.swift: does not name its subject ids",
        "CrashTests/Other/main.swift: Other is not in Package.swift",
        "Package.swift: there is no CrashTests/Gone",
      ])
  }
}
