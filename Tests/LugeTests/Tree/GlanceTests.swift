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
  private static func filled(
    _ configuration: Configuration = configuration()
  ) throws -> Database {
    let database = try Database.open(
      at: "/d", configuration: configuration, platform: .inMemory())
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
    // The second look at a page brings it in.
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

  /// Chunks stay though no page of theirs is in memory, as long as they keep to their share.
  @Test(arguments: [0, 20, 1000]) func chunksKeepToTheirShare(share: Int) throws {
    var configuration = Self.configuration()
    configuration.chunkShare = share
    // Room for the index, far from room for the entries.
    if share == 1000 { configuration.memoryBudget += 64 << 10 }
    let database = try Self.filled(configuration)
    let context = database.core.context
    let tree = database.defaultTree.storage
    let chunks = try Self.chunks(tree).all
    var idle = 0
    for number in 0..<Self.keys {
      let spread = number * 677 % Self.keys
      #expect(try database.defaultTree.value(forKey: Self.key(2 * spread)) == Self.value(spread))
      let found = try Self.chunks(tree)
      #expect(context.chunks.bytes.load() >= UInt64(found.bytes), "the catalogue's tree has some")
      // What the last miss brought, and pages that stay whatever comes, may be beyond it.
      let most = context.cache.chunkLimit + (context.cache.floor + 2) * found.largest
      #expect(found.idleBytes <= most)
      idle = max(idle, found.idle)
    }
    #expect(chunks > 8)
    if share == 0 { #expect(idle <= context.cache.floor + 2) }
    if share == 1000 {
      // None had to be read again: each was read once at most, and then it stayed.
      #expect(try Self.chunks(tree).resident == chunks)
    }
    try database.close()
  }

  /// The share is a bound for chunks that could go: all go when nothing else is left.
  @Test func chunksGoWhereNoPageMay() throws {
    var configuration = Self.configuration()
    configuration.chunkShare = 1000
    configuration.memoryBudget += 64 << 10
    let database = try Self.filled(configuration)
    let context = database.core.context
    for number in 0..<Self.keys {
      _ = try database.defaultTree.value(forKey: Self.key(2 * number))
    }
    #expect(try Self.chunks(database.defaultTree.storage).idle > 4)
    var last = TreeContext.Eviction.none
    for _ in 0..<10_000 {
      last = try context.evictOne(keeping: 0)
      if case .floor = last { break }
    }
    let left = try Self.chunks(database.defaultTree.storage)
    #expect(left.resident == 0, "\(last)")
    try database.close()
  }

  private struct Chunks {
    var all = 0
    var resident = 0
    var bytes = 0
    /// Without a page in memory.
    var idle = 0
    var idleBytes = 0
    var largest = 0
  }

  private static func chunks(_ tree: BLinkTree) throws -> Chunks {
    let pin = try tree.context.epochs.pin()
    defer { pin.end() }
    let root = Branch(address: tree.root.load())
    var found = Chunks(all: root.count)
    for index in 0..<root.count {
      let word = Chunk(address: root.node(index)).word.load()
      if !ChunkWord.hasBranch(word) { continue }
      let branch = ChunkWord.branch(word)
      found.resident += 1
      found.bytes += branch.indexBytes
      found.largest = max(found.largest, branch.indexBytes)
      if (0..<branch.count).allSatisfy({ Page(address: branch.node($0)).leaf == nil }) {
        found.idle += 1
        found.idleBytes += branch.indexBytes
      }
    }
    return found
  }
}
