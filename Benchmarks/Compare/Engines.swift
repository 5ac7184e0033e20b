/// The engines of the comparison: Luge, its peers, and the bare disk.
enum Engines {
  static let luge = LugeEngine.name
  static let bare = "bare"
  static let peers: [any Engine.Type] = [
    LMDBEngine.self, LevelDBEngine.self, RocksDBEngine.self, WiredTigerEngine.self,
    SQLiteEngine.self,
  ]

  static func named(_ name: String) -> (any Engine.Type)? {
    ([LugeEngine.self] + peers).first { $0.name == name }
  }

  static func can(_ name: String, _ ability: Ability) -> Bool {
    named(name)?.abilities.contains(ability) ?? false
  }

  /// Whether a file holds entries, and not a log, a lock or settings.
  static func isTable(_ file: String, of engine: String) -> Bool {
    switch engine {
    case LugeEngine.name: file.hasPrefix("page-") || file.hasPrefix("value-")
    case RocksDBEngine.name: file.hasSuffix(".sst")
    case LevelDBEngine.name: file.hasSuffix(".ldb")
    case WiredTigerEngine.name: file == "entries.wt"
    case SQLiteEngine.name: file == "entries.sqlite"
    default: file == "data.mdb"
    }
  }

  /// Serves the coordinator as that engine. The bare disk needs none: any will do.
  static func serve(_ name: String) {
    func serve<E: Engine>(_ type: E.Type) { Worker<E>.serve() }
    if let type = named(name) { serve(type) } else { serve(LugeEngine.self) }
  }
}
