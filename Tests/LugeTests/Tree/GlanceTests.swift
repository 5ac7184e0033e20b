import Platform
import Testing

@testable import Luge

/// Reads of pages that stay on disk, while memory is full.
@Suite struct GlanceTests {
  private static let keys = 1500

  private static func configuration() -> Configuration { BlindWriteTests.configuration() }
  private static func key(_ number: Int) -> [UInt8] { BlindWriteTests.key(number) }
  private static func value(_ number: Int) -> [UInt8] { BlindWriteTests.value(number) }

  /// A database with every even key, far larger than its memory.
  private static func filled() throws -> Database {
    let database = try Database.open(
      at: "/d", configuration: configuration(), platform: .inMemory())
    for number in 0..<keys {
      try database.defaultTree.setValue(value(number), forKey: key(2 * number))
    }
    try database.checkpoint()
    return database
  }

  /// Each page is looked for once in a round and long before the next: it stays where it is.
  @Test func aPageThatIsReadOnceStaysOnDisk() throws {
    let database = try Self.filled()
    let tree = database.defaultTree
    let cache = database.core.context.cache
    let before = (cache.pageIns.load(), cache.glances.load())
    for number in 0..<Self.keys {
      let spread = number * 677 % Self.keys
      #expect(try tree.value(forKey: Self.key(2 * spread)) == Self.value(spread))
      #expect(try !tree.contains(Self.key(2 * spread + 1)))
      #expect(try tree.view(forKey: Self.key(2 * spread))?.copy() == Self.value(spread))
    }
    let pageIns = cache.pageIns.load() - before.0
    let glances = cache.glances.load() - before.1
    // The second look at a page brings it in, and so does the first where its chunk is not in memory.
    #expect(glances > UInt64(Self.keys / 8))
    #expect(pageIns < UInt64(Self.keys))
    try database.close()
  }

  /// What is looked for again and again comes into memory.
  @Test func aPageThatIsReadOftenIsBroughtIn() throws {
    let database = try Self.filled()
    let tree = database.defaultTree
    let cache = database.core.context.cache
    for _ in 0..<4 {
      for number in 0..<8 { _ = try tree.value(forKey: Self.key(2 * number)) }
    }
    let before = cache.glances.load()
    for _ in 0..<10 {
      for number in 0..<8 {
        #expect(try tree.value(forKey: Self.key(2 * number)) == Self.value(number))
      }
    }
    #expect(cache.glances.load() == before)
    try database.close()
  }

  /// Over a page that is written blindly a glance sees what is on disk, and the newer value where there is
  /// one.
  @Test func aPartialLeafIsNotCompletedForIt() throws {
    let database = try Self.filled()
    let tree = database.defaultTree
    let cache = database.core.context.cache
    var random = SplitMix(7)
    var written: [Int: [UInt8]] = [:]
    let before = cache.glances.load()
    for turn in 0..<2000 {
      let number = random.below(Self.keys)
      if turn % 3 == 0 {
        written[number] = Self.value(turn + 1)
        try tree.setValue(Self.value(turn + 1), forKey: Self.key(2 * number))
      } else {
        #expect(
          try tree.value(forKey: Self.key(2 * number)) == written[number] ?? Self.value(number))
        #expect(try tree.value(forKey: Self.key(2 * number + 1)) == nil)
      }
    }
    #expect(cache.glances.load() > before)
    #expect(try tree.count() == Self.keys)
    #expect(try database.verify().problems == [])
    try database.close()
  }

  /// A load in order evicts all pages of a chunk that is split later: neither half stays without a page in
  /// memory, but for the last split.
  @Test func noChunkStaysWithoutAPageInMemory() throws {
    let database = try Self.filled()
    let tree = database.defaultTree.storage
    let pin = try database.core.context.epochs.pin()
    defer { pin.end() }
    let root = Branch(address: tree.root.load())
    var resident = 0
    var idle = 0
    for index in 0..<root.count {
      let word = Chunk(address: root.node(index)).word.load()
      if !ChunkWord.hasBranch(word) { continue }
      resident += 1
      let branch = ChunkWord.branch(word)
      let pages = (0..<branch.count).map { Page(address: branch.node($0)) }
      if pages.allSatisfy({ $0.leaf == nil }) { idle += 1 }
    }
    #expect(root.count > 8)
    #expect(idle <= 1 && resident < root.count / 2)
  }
}
