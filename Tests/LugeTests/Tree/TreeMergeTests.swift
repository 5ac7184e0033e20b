import Testing

@testable import Luge

/// A tree that becomes small gives its pages and chunks back, in memory and on disk.
@Suite struct TreeMergeTests {
  static func walk(_ tree: BLinkTree) throws -> [ChunkEntry] {
    var walk = CheckpointWalk()
    try walk.visit(tree)
    return walk.chunks
  }

  /// What a tree has on disk, and nothing else, is live.
  static func expectLive(_ world: TreeWorld, _ tree: BLinkTree) throws {
    try world.context.released.drain(world.context.pages, world.context.epochs)
    var expected = SegmentBytes()
    var index = 0
    while let chunk = try tree.onDisk(chunk: index) {
      if let image = chunk.image { expected.add(image) }
      for page in chunk.pages { for part in page.parts { expected.add(part) } }
      index += 1
    }
    #expect(try world.context.pages.liveBytes() == expected)
    #expect(world.context.pages.releaseViolations == 0)
  }

  @Test(arguments: [1, 2, 5, 64])
  func anEmptiedTreeIsOnePage(limit: Int) throws {
    var settings = TreeWorld.tiny
    settings.chunkPages = limit
    let world = try TreeWorld(settings)
    let tree = try TreeChunkTests.filled(world, 500)
    let full = try Self.walk(tree)
    #expect(full.count > 90 / limit)
    for number in 0..<500 { _ = try tree.remove(TreeIndexTests.key(number)) }
    let empty = try Self.walk(tree)
    // A chunk of one page has no neighbour to merge with, and takes no other's pages.
    if limit > 2 {
      #expect(empty.count == 1)
      #expect(try TreeIndexTests.chunkSizes(tree) == [1])
    }
    #expect(empty.reduce(0) { $0 + $1.entries } == 0)
    #expect(try tree.checkInvariants() == [])
    try Self.expectLive(world, tree)
    // It grows again, and comes back from disk.
    for number in 0..<300 { _ = try tree.put(TreeIndexTests.key(number), [2]) }
    let loaded = try TreeChunkTests.load(world, Self.walk(tree))
    #expect(try loaded.entries() == tree.entries())
    #expect(try loaded.checkInvariants() == [])
    try TreeChunkTests.end(world, tree, loaded)
  }

  /// Pages that are not in memory are merged too.
  @Test func pagesOnDiskAreMerged() throws {
    var settings = TreeWorld.tiny
    settings.chunkPages = 16
    let world = try TreeWorld(settings)
    let tree = try TreeChunkTests.filled(world, 300)
    let loaded = try TreeChunkTests.load(world, Self.walk(tree))
    try tree.destroy()
    for number in 0..<300 where number % 16 != 0 {
      _ = try loaded.remove(TreeIndexTests.key(number))
    }
    let again = try TreeChunkTests.load(world, Self.walk(loaded))
    try loaded.destroy()
    _ = try again.put(TreeIndexTests.key(0), [8])
    _ = try Self.walk(again)
    #expect(try again.entries().count == 19)
    #expect(try TreeIndexTests.chunkSizes(again).reduce(0, +) < 20)
    #expect(try again.checkInvariants() == [])
    try TreeChunkTests.end(world, again)
  }

  @Test(arguments: [1, 2, 3, 4])
  func agreesWithASortedArrayWhileItGrowsAndShrinks(seed: UInt64) throws {
    var random = TestRandom(seed)
    var settings = TreeWorld.tiny
    settings.chunkPages = [2, 4, 9, 64][Int(seed % 4)]
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    var model = SortedModel()
    for phase in 0..<12 {
      for _ in 0..<150 {
        let key = random.below(2) == 0 ? random.key() : TreeIndexTests.key(random.below(400))
        let value =
          random.below(4) == phase % 2 * 2 + 1 || phase % 2 == 1 && random.below(5) > 0
          ? nil : random.value()
        guard let value else {
          #expect(try tree.remove(key) == model.set(key, nil))
          continue
        }
        #expect(try tree.put(key, value) == model.set(key, value))
      }
      if phase % 3 == 2 {
        for entry in model.entries.dropFirst(5) {
          #expect(try tree.remove(entry.key) == model.set(entry.key, nil))
        }
      }
      let chunks = try Self.walk(tree)
      #expect(chunks.reduce(0) { $0 + $1.entries } == model.entries.count)
      #expect(try tree.entries() == model.entries)
      #expect(try tree.entriesDown() == model.entries.reversed())
      #expect(try tree.checkInvariants() == [])
      try Self.expectLive(world, tree)
    }
    try TreeChunkTests.end(world, tree)
  }
}
