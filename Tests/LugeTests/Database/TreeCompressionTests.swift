import Platform
import Testing

@testable import Luge

/// The setting of each tree, and that what it does is on disk.
@Suite struct TreeCompressionTests {
  private static func manual(_ compression: Compression = .none) -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    configuration.compression = compression
    return configuration
  }

  private static func fill(_ tree: Tree, _ count: Int) throws {
    for number in 0..<count {
      let text = "{\"number\":\(number),\"text\":\"all work and no play\"}"
      _ = try tree.updateValue(Array(text.utf8), forKey: Array("key\(100_000 + number)".utf8))
    }
  }

  private static func pageBytes(_ platform: PlatformServices) throws -> Int {
    try TestFiles.contents(platform.files).filter { $0.name.hasPrefix("page-") }
      .reduce(0) { $0 + $1.bytes.count }
  }

  @Test func settingsLastAcrossOpenings() throws {
    let platform = PlatformServices.inMemory()
    var database = try Database.open(
      at: "/db", configuration: Self.manual(.lz4), platform: platform)
    #expect(database.defaultTree.compression == .lz4)
    #expect(try database.tree(named: "default").compression == .lz4)
    #expect(try database.tree(named: "plain", compression: Compression.none).compression == .none)
    let changed = try database.tree(named: "changed", compression: .lz4)
    #expect(try database.tree(named: "changed", compression: .zstd(level: 7)).name == "changed")
    #expect(changed.compression == .zstd(level: 7))
    try Self.fill(changed, 50)
    try database.close()
    for _ in 0..<2 {
      database = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
      #expect(database.defaultTree.compression == .none)
      #expect(try database.tree(named: "default").compression == .lz4)
      #expect(try database.tree(named: "plain").compression == .none)
      #expect(try database.tree(named: "changed").compression == .zstd(level: 7))
      #expect(try database.tree(named: "changed").count() == 50)
      try database.close()
    }
  }

  @Test func badSettingsAreRefused() throws {
    let platform = PlatformServices.inMemory()
    #expect(throws: LugeError.self) {
      try Database.open(
        at: "/db", configuration: Self.manual(.zstd(level: 20)), platform: platform)
    }
    let database = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
    for (name, compression) in [("a", Compression.zstd(level: 0)), ("", .lz4)] {
      let error = #expect(throws: LugeError.self) {
        try database.tree(named: name, compression: compression)
      }
      #expect(error?.code == .invalidArgument)
    }
    #expect(try database.tree(named: "", compression: Compression.none).name == "")
    #expect(try database.treeNames() == [""])
    try database.close()
  }

  @Test func pagesAreSmaller() throws {
    var sizes: [Int] = []
    for compression in [Compression.none, .lz4, .zstd, .zstd(level: 9)] {
      let platform = PlatformServices.inMemory()
      var database = try Database.open(
        at: "/db", configuration: Self.manual(compression), platform: platform)
      try Self.fill(database.defaultTree, 2000)
      try database.checkpoint()
      sizes.append(try Self.pageBytes(platform))
      try database.close()
      database = try Database.open(at: "/db", configuration: Self.manual(), platform: platform)
      let entries = try database.defaultTree.entries()
      #expect(entries.count == 2000 && entries[1999].key == Array("key101999".utf8))
      try database.close()
    }
    #expect(sizes[1] * 10 < sizes[0] * 6 && sizes[2] * 10 < sizes[0] * 4 && sizes[3] <= sizes[2])
  }
}
