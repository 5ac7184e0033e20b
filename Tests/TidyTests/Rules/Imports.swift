import Testing

/// Each module imports what its arrows allow, and only Platform touches the operating system.
/// CPlatform, which holds what Swift cannot say and calls no system, is open to engine and kits.
enum Imports {
  private static let kits: Set = ["EngineKit", "HistoryKit", "SimulationKit", "Platform"]
  private static let collections: Set = [
    "Collections", "OrderedCollections", "DequeModule", "HeapModule", "BitCollections",
  ]

  /// Folder -> what its files may import. A folder that is not here is not checked.
  static let allowed: [(folder: String, modules: Set<String>)] = [
    ("Sources/Platform", ["CPlatform", "Synchronization", "Glibc", "Musl", "Darwin"]),
    ("Sources/Luge", ["Platform", "CPlatform", "CZstd", "CLZ4"]),
    ("Sources/EngineKit", ["Platform", "CPlatform"]),
    ("Sources/HistoryKit", collections.union(["EngineKit", "CPlatform"])),
    ("Sources/SimulationKit", kits.union(["CPlatform"]).union(collections)),
    ("Sources/EngineAdapters", kits.union(["Luge", "CSQLite", "Synchronization"])),
    ("Simulations/Scenarios", kits),
    ("CrashTests", kits.union(["EngineAdapters", "CrashSupport"])),
    ("Simulations/Formats", kits.union(["Foundation"])),
  ]

  static func violations(in tree: SourceTree) -> [Violation] {
    var violations: [Violation] = []
    for (folder, modules) in allowed {
      for file in tree.swift(under: folder) {
        for (index, token) in file.tokens.enumerated() {
          guard token.text == "import", token.kind == .word, index + 1 < file.tokens.count,
            index == 0 || !file.matches(index - 1, ".")
          else { continue }
          var module = file.tokens[index + 1].text
          if ["struct", "class", "enum", "func", "protocol"].contains(module) {
            module = file.tokens[index + 2].text  // import of one declaration
          }
          if modules.contains(module) { continue }
          violations.append(Violation(file, token.line, "\(folder) may not import \(module)"))
        }
      }
    }
    return violations
  }
}

@Suite struct ImportsTests {
  @Test func holds() { expectNone(Imports.violations(in: .repository)) }

  @Test(arguments: [
    ("Sources/Luge/Log/A.swift", "Foundation"), ("Sources/Luge/Log/A.swift", "Glibc"),
    ("Sources/Luge/Log/A.swift", "SimulationKit"), ("Sources/Luge/Log/A.swift", "EngineKit"),
    ("Sources/HistoryKit/A.swift", "Luge"), ("Sources/SimulationKit/A.swift", "Luge"),
    ("Sources/EngineKit/A.swift", "HistoryKit"), ("Simulations/Scenarios/A.swift", "Luge"),
  ])
  func convicts(path: String, module: String) {
    let tree = SourceTree(path, "// import Nothing\npublic import \(module)\n")
    #expect(
      Imports.violations(in: tree).map(\.description).allSatisfy {
        $0.hasPrefix("\(path):2: ") && $0.hasSuffix("may not import \(module)")
      })
    #expect(Imports.violations(in: tree).count == 1)
  }
}
