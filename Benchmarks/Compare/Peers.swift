/// The engines that Luge is compared with.
enum Peers {
  static var all: [any Contestant] {
    [
      EngineContestant<LMDBEngine>(), EngineContestant<LevelDBEngine>(),
      EngineContestant<RocksDBEngine>(), EngineContestant<WiredTigerEngine>(),
      EngineContestant<SQLiteEngine>(),
    ]
  }

  static func named(_ names: [String]) -> [any Contestant] {
    all.filter { names.contains($0.name) }
  }
}
