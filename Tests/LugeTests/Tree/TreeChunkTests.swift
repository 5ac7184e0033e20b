import Platform
import Testing

@testable import Luge

/// Chunks on disk: a tree comes back from their images, only changed ones are written, and they come
/// into memory and leave it.
@Suite struct TreeChunkTests {
  /// All chunks of a tree, left to right, as a checkpoint takes them.
  static func checkpoint(_ tree: BLinkTree) throws -> [ChunkState] {
    var chunks: [ChunkState] = []
    var key: [UInt8]? = []
    while let from = key {
      let chunk = try #require(try tree.writeOutChunk(covering: from))
      #expect(chunk.low == from)
      chunks.append(chunk)
      key = chunk.high
    }
    return chunks
  }

  static func load(_ world: TreeWorld, _ chunks: [ChunkState]) throws -> BLinkTree {
    try BLinkTree(
      id: 1, context: world.context, chunks: chunks.map { ($0.low, $0.image, $0.entries) })
  }

  static func load(_ world: TreeWorld, _ chunks: [ChunkEntry]) throws -> BLinkTree {
    try BLinkTree(
      id: 1, context: world.context, chunks: chunks.map { ($0.low, $0.image, $0.entries) })
  }

  /// How many chunks are in memory.
  static func residentChunks(_ tree: BLinkTree) throws -> Int {
    let pin = try tree.context.epochs.pin()
    defer { pin.end() }
    let root = Branch(address: tree.root.load())
    return (0..<root.count).count { index in
      ChunkWord.hasBranch(Chunk(address: root.node(index)).word.load())
    }
  }

  static func filled(_ world: TreeWorld, _ count: Int) throws -> BLinkTree {
    let tree = try world.tree()
    for number in 0..<count { _ = try tree.put(TreeIndexTests.key(number), [UInt8(number & 255)]) }
    return tree
  }

  static func end(_ world: TreeWorld, _ trees: BLinkTree...) throws {
    for tree in trees { try tree.destroy() }
    try world.context.discardReleased()
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
    #expect(world.context.chunks.bytes.load() == 0)
  }

  @Test(arguments: [1, 2, 7])
  func aTreeComesBackChunkByChunk(limit: Int) throws {
    var settings = TreeWorld.tiny
    settings.chunkPages = limit
    let world = try TreeWorld(settings)
    let tree = try Self.filled(world, 500)
    let chunks = try Self.checkpoint(tree)
    #expect(chunks.count > 500 / 5 / limit)
    #expect(chunks.allSatisfy { $0.wasWritten })
    let loaded = try Self.load(world, chunks)
    #expect(loaded.count == 500)
    #expect(try Self.residentChunks(loaded) == 0)
    // One read brings one chunk.
    #expect(try loaded.get(TreeIndexTests.key(250)) == [250])
    #expect(try Self.residentChunks(loaded) == 1)
    #expect(try loaded.entriesDown() == tree.entries().reversed())
    #expect(try Self.residentChunks(loaded) == chunks.count)
    #expect(try loaded.checkInvariants() == [])
    for number in 0..<500 where number % 3 == 0 {
      _ = try loaded.remove(TreeIndexTests.key(number))
      _ = try loaded.put(TreeIndexTests.key(number) + [1], [7])
    }
    #expect(try loaded.entries().count == 500)
    #expect(try loaded.checkInvariants() == [])
    try Self.end(world, tree, loaded)
  }

  @Test func onlyWhatChangedIsWrittenAgain() throws {
    let world = try TreeWorld()
    let tree = try Self.filled(world, 400)
    let first = try Self.checkpoint(tree)
    let second = try Self.checkpoint(tree)
    #expect(second.count { $0.wasWritten } == 0)
    #expect(second.map(\.image) == first.map(\.image))
    _ = try tree.put(TreeIndexTests.key(200), [1, 2, 3])
    let third = try Self.checkpoint(tree)
    #expect(third.count { $0.wasWritten } == 1)
    // The same where nothing is in memory.
    let loaded = try Self.load(world, third)
    #expect(try Self.checkpoint(loaded).count { $0.wasWritten } == 0)
    _ = try loaded.remove(TreeIndexTests.key(7))
    #expect(try Self.residentChunks(loaded) == 1)
    let fourth = try Self.checkpoint(loaded)
    #expect(fourth.count { $0.wasWritten } == 1)
    #expect(try Self.residentChunks(loaded) == 1)
    #expect(fourth.reduce(0) { $0 + $1.entries } == 399)
    try Self.end(world, tree, loaded)
  }

  /// What is live is what the tree has, whatever was written again.
  @Test func replacedImagesAreReleased() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(5)
    for _ in 0..<12 {
      for _ in 0..<60 {
        let key = random.key()
        if random.below(3) == 0 {
          _ = try tree.remove(key)
        } else {
          _ = try tree.put(key, random.value())
        }
      }
      try world.context.pages.beginNaming()
      let chunks = try Self.checkpoint(tree)
      try world.context.released.drain(world.context.pages, world.context.epochs)
      var expected = SegmentBytes()
      for chunk in chunks { expected.add(chunk.image) }
      var index = 0
      while let chunk = try tree.onDisk(chunk: index) {
        for page in chunk.pages { for part in page.parts { expected.add(part) } }
        index += 1
      }
      #expect(index == chunks.count)
      #expect(try world.context.pages.liveBytes() == expected)
      // Images of chunks that were split are named by nobody, but a walk may have passed them.
      #expect(try world.context.pages.endNaming().bytes(of: 1) >= expected.bytes(of: 1))
    }
    #expect(world.context.pages.releaseViolations == 0)
    try tree.releaseParts()
    #expect(try world.context.pages.liveBytes() == SegmentBytes())
    try Self.end(world, tree)
  }

  @Test func aChunkWithoutLeavesInMemoryGoesAndComesAgain() throws {
    let world = try TreeWorld()
    let tree = try Self.filled(world, 300)
    #expect(try tree.evictChunk(covering: TreeIndexTests.key(9)) == false)
    let chunks = try Self.checkpoint(tree)
    let loaded = try Self.load(world, chunks)
    let live = try world.context.pages.liveBytes()
    for _ in 0..<3 {
      for chunk in chunks { _ = try loaded.get(chunk.low) }
      #expect(try Self.residentChunks(loaded) == chunks.count)
      // Here chunks have no share of the memory, so none stays without a page.
      let last = try Self.evictEverything(world)
      let left = try world.context.cache.count()
      #expect(try Self.residentChunks(loaded) == 0, "\(last), \(left) pages left")
    }
    // One that counts as changed is written when it goes.
    for chunk in chunks.dropFirst() {
      _ = try loaded.get(chunk.low)
      try Self.touch(loaded, chunk.low)
    }
    try Self.evictEverything(world)
    #expect(try Self.residentChunks(loaded) == 0)
    #expect(try world.context.pages.liveBytes() == live)
    let again = try Self.checkpoint(loaded)
    #expect(again.count { $0.wasWritten } == 0)
    #expect(zip(again, chunks).count { $0.0.image != $0.1.image } == chunks.count - 1)
    #expect(try loaded.get(TreeIndexTests.key(7)) == [7])
    #expect(try loaded.evictChunk(covering: TreeIndexTests.key(7)) == false)
    #expect(try loaded.entries() == tree.entries())
    #expect(try loaded.checkInvariants() == [])
    try Self.end(world, tree, loaded)
  }

  @discardableResult
  private static func evictEverything(_ world: TreeWorld) throws -> TreeContext.Eviction {
    // One that stays at the first look may go at the next.
    var last = TreeContext.Eviction.none
    for _ in 0..<10_000 {
      last = try world.context.evictOne(keeping: 0)
      if case .floor = last { return last }
    }
    return last
  }

  static func touch(_ tree: BLinkTree, _ key: [UInt8]) throws {
    let pin = try tree.context.epochs.pin()
    defer { pin.end() }
    unsafe key.withUnsafeBytes { key in
      let chunk = unsafe tree.findChunk(ByteView(key))
      chunk.stamp.store(tree.context.newStamp())
    }
  }

  @Test func damagedChunksAreReportedAndStay() throws {
    let world = try TreeWorld()
    let tree = try Self.filled(world, 300)
    let chunks = try Self.checkpoint(tree)
    var wrong = chunks.map { ($0.low, $0.image, $0.entries) }
    (wrong[2].1, wrong[3].1) = (wrong[3].1, wrong[2].1)
    wrong[4].2 += 1
    let loaded = try BLinkTree(id: 1, context: world.context, chunks: wrong)
    for index in 2...4 {
      for _ in 0..<2 {
        #expect {
          try loaded.get(chunks[index].low)
        } throws: {
          ($0 as? LugeError)?.code == .corruption
        }
      }
    }
    #expect(try loaded.get(TreeIndexTests.key(0)) == [0])
    try Self.end(world, tree, loaded)
  }
}
