import Testing

/// What is added is listed: whoever forgets the line in the list gets told.
enum Registries {
  /// A folder whose files each add something, and the file that lists it.
  struct Registry {
    var what: String
    var folder: String
    var list: String
    /// Things are declared as static members in extensions of this type.
    var type: String
    /// Whether a file that adds nothing is a mistake.
    var everyFileAdds: Bool
  }

  static let all = [
    Registry(
      what: "scenario", folder: "Simulations/Scenarios",
      list: "Simulations/Scenarios/Catalogue.swift", type: "Scenario", everyFileAdds: true),
    Registry(
      what: "run", folder: "Simulations/CrashStates",
      list: "Simulations/CrashStates/RunCatalogue.swift", type: "CrashRun", everyFileAdds: true),
    Registry(
      what: "checker", folder: "Sources/HistoryKit/Checkers",
      list: "Sources/HistoryKit/Checkers/CheckerRegistry.swift", type: "CheckerPlan",
      everyFileAdds: false),
  ]

  static let faultCatalogue = "Sources/SimulationKit/Faults/FaultCatalogue.swift"

  static func violations(of registry: Registry, in tree: SourceTree) -> [Violation] {
    guard let list = tree[registry.list] else { return [Violation(registry.list, "is missing")] }
    let listed = Set(
      list.tokens.indices.filter { list.matches($0, ".") && $0 + 1 < list.tokens.count }
        .map { list.tokens[$0 + 1].text })
    var violations: [Violation] = []
    for file in tree.swift(under: registry.folder) where file.path != registry.list {
      let added = members(of: registry.type, in: file)
      if added.isEmpty, registry.everyFileAdds {
        violations.append(Violation(file.path, "declares no \(registry.what)"))
      }
      for (name, line) in added where !listed.contains(name) {
        violations.append(
          Violation(file, line, "\(registry.what) .\(name) is not in \(registry.list)"))
      }
    }
    return violations
  }

  /// The static members that the file adds to a type and that have its type, as far as a reader of
  /// tokens can tell: `static let a = TYPE(`, or a function that returns one.
  private static func members(of type: String, in file: SourceFile) -> [(name: String, line: Int)] {
    var members: [(String, Int)] = []
    for index in file.tokens.indices where file.matches(index, "static") {
      guard index + 2 < file.tokens.count else { continue }
      let name = file.tokens[index + 2]
      if file.matches(index + 1, "let"),
        file.matches(index + 3, "=", type) || file.matches(index + 3, ":", type)
      {
        members.append((name.text, name.line))
      } else if file.matches(index + 1, "func"), returns(type, file, index + 3) {
        members.append((name.text, name.line))
      }
    }
    return members
  }

  private static func returns(_ type: String, _ file: SourceFile, _ start: Int) -> Bool {
    var index = start
    while index < file.tokens.count, !file.matches(index, "{") {
      if file.matches(index, "-", ">", type) { return true }
      index += 1
    }
    return false
  }

  /// The cases of `FaultClass` and the entries of the catalogue of faults.
  static func faultViolations(in tree: SourceTree) -> [Violation] {
    guard let cases = tree[Documentation.faultClasses], let list = tree[faultCatalogue] else {
      return [Violation(faultCatalogue, "is missing, or so is \(Documentation.faultClasses)")]
    }
    let described = list.tokens.indices.filter { list.matches($0, "fault", ":", ".") }
      .map { list.tokens[$0 + 3].text }
    return Documentation.enumCases(cases, of: "FaultClass").compactMap { (name, line) in
      described.contains(name)
        ? nil : Violation(cases, line, "fault class \(name) is not in \(faultCatalogue)")
    }
  }
}

@Suite struct RegistriesTests {
  @Test func holds() {
    for registry in Registries.all {
      expectNone(Registries.violations(of: registry, in: .repository))
    }
    expectNone(Registries.faultViolations(in: .repository))
  }

  @Test func convicts() {
    let scenarios = Registries.all[0]
    let tree = SourceTree([
      SourceFile(scenarios.list, "enum Catalogue { static let all: [Scenario] = [.one] }"),
      SourceFile(
        "Simulations/Scenarios/One.swift", "extension Scenario { static let one = Scenario() }"),
      SourceFile(
        "Simulations/Scenarios/Two.swift",
        "extension Scenario {\n  static let two = Scenario()\n  static func three() -> Scenario {}\n}"
      ),
      SourceFile("Simulations/Scenarios/Zero.swift", "// .zero"),
    ])
    #expect(
      Registries.violations(of: scenarios, in: tree).map(\.description) == [
        "Simulations/Scenarios/Two.swift:2: scenario .two is not in \(scenarios.list)",
        "Simulations/Scenarios/Two.swift:3: scenario .three is not in \(scenarios.list)",
        "Simulations/Scenarios/Zero.swift: declares no scenario",
      ])
    #expect(
      Registries.violations(of: scenarios, in: SourceTree([])).map(\.message) == ["is missing"])
  }

  @Test func convictsAFaultClass() {
    let tree = SourceTree([
      SourceFile(Documentation.faultClasses, "enum FaultClass {\n  case one\n  case two\n}"),
      SourceFile(Registries.faultCatalogue, "let all = [F(fault: .one, summary: \"two\")]"),
    ])
    #expect(
      Registries.faultViolations(in: tree).map(\.message) == [
        "fault class two is not in \(Registries.faultCatalogue)"
      ])
  }
}
