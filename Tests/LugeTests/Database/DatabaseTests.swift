import Luge
import Platform
import Testing

/// Opening, writing, closing and opening again, on files in memory.
@Suite struct DatabaseTests {
  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  static func manual() -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    return configuration
  }

  @Test func reopensWhatWasClosed() throws {
    let platform = PlatformServices.inMemory()
    let database = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
    #expect(!database.wasRecovered)
    let tree = database.defaultTree
    #expect(try tree.updateValue(Self.bytes("1"), forKey: Self.bytes("a")) == nil)
    #expect(try tree.updateValue(Self.bytes("2"), forKey: Self.bytes("a")) == Self.bytes("1"))
    let other = try database.tree(named: "other")
    try other.updateValue([], forKey: [])
    try database.close()
    #expect(throws: LugeError.self) { try tree.value(forKey: Self.bytes("a")) }

    let again = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
    #expect(again.wasRecovered)
    #expect(try again.defaultTree.value(forKey: Self.bytes("a")) == Self.bytes("2"))
    #expect(try again.treeNames() == ["", "other"])
    #expect(try again.tree(named: "other").value(forKey: []) == [])
    #expect(try again.verify().problems == [])
    try again.close()
  }

  @Test func recoversWhatWasFlushedAndNotClosed() throws {
    let platform = PlatformServices.inMemory()
    let id: UInt64
    do {
      // Not closed: everything that holds it goes at the end of the scope, as in a process that dies.
      let first = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
      var batch = WriteBatch()
      batch.updateValue([1], forKey: [1], in: first.defaultTree)
      batch.updateValue([2], forKey: [2], in: try first.tree(named: "t"))
      try first.apply(batch)
      id = try first.nextID()
      try first.flush()
      try first.defaultTree.updateValue([9], forKey: [9])
    }

    let again = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
    #expect(try again.defaultTree.entries() == [Entry(key: [1], value: [1])])
    #expect(try again.tree(named: "t").entries() == [Entry(key: [2], value: [2])])
    #expect(try again.nextID() > id)
    try again.close()
  }

  @Test func manyEntriesSurviveCheckpointsAndReopening() throws {
    let platform = PlatformServices.inMemory()
    var configuration = Self.manual()
    configuration.leafEntries = 8
    configuration.leafAppendSlots = 4
    configuration.pageSize = 512
    var model: [[UInt8]: [UInt8]] = [:]
    var seed: UInt64 = 1
    for round in 0..<5 {
      let database = try Database.open(at: "/db", configuration: configuration, platform: platform)
      for _ in 0..<1000 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let key = [
          UInt8(truncatingIfNeeded: seed >> 40), UInt8(truncatingIfNeeded: seed >> 33) & 7,
        ]
        if seed >> 60 < 4 {
          #expect(try database.defaultTree.removeValue(forKey: key) == model[key])
          model[key] = nil
        } else {
          let value = [UInt8](repeating: UInt8(truncatingIfNeeded: seed >> 20), count: 20)
          #expect(try database.defaultTree.updateValue(value, forKey: key) == model[key])
          model[key] = value
        }
        if seed >> 56 == 7 { try database.checkpoint() }
      }
      #expect(try database.defaultTree.count() == model.count)
      let entries = try database.defaultTree.entries()
      let keys = model.keys.sorted { left, right in left.lexicographicallyPrecedes(right) }
      #expect(entries.map(\.key) == keys)
      #expect(entries.map(\.value) == keys.map { key in model[key]! })
      #expect(try database.verify().problems == [])
      if round % 2 == 0 { try database.close() } else { try database.flush() }
    }
  }
}
