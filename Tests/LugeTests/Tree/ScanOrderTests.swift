import Platform
import Testing

@testable import Luge

/// Leaves that scans put in order.
@Suite struct ScanOrderTests {
  private static func key(_ number: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
  }

  private func settings() -> TreeSettings {
    var settings = TreeSettings()
    settings.leafEntries = 64
    settings.appendWords = 16
    return settings
  }

  /// The one leaf of a small tree: entries in key order, and words taken behind them.
  private func leaf(_ tree: BLinkTree, _ world: TreeWorld) throws -> [Int] {
    try withLeaf(tree, world) { [$0.sortedCount, LeafSlice.prefetchAppended($0)] }
  }

  private func withLeaf<R>(
    _ tree: BLinkTree, _ world: TreeWorld, _ body: (Leaf) -> R
  ) throws -> R {
    let pin = try world.context.epochs.pin()
    defer { pin.end() }
    let branch = ChunkWord.branch(
      Chunk(address: Branch(address: tree.root.load()).node(0)).word.load())
    return body(try #require(Page(address: branch.node(0)).leaf))
  }

  /// A tree of one leaf whose entries, so many, were all appended, in no order.
  private func appended(_ count: Int, _ world: TreeWorld) throws -> BLinkTree {
    let tree = try world.tree()
    for number in 0..<count { _ = try tree.put(Self.key(number * 7 % count), [UInt8(number)]) }
    #expect(try leaf(tree, world) == [0, count])
    return tree
  }

  @Test func theSecondScanPutsALeafInOrder() throws {
    let world = try TreeWorld(settings())
    let tree = try appended(10, world)
    let first = try tree.entries()
    #expect(try leaf(tree, world) == [0, 10], "most leaves are scanned once")
    #expect(try tree.entries() == first)
    #expect(try leaf(tree, world) == [10, 0])
    #expect(try tree.entries() == first)
    #expect(try tree.entriesDown() == first.reversed())
    #expect(first.map(\.key) == (0..<10).map(Self.key))
    #expect(try tree.checkInvariants().isEmpty)
    try tree.destroy()
  }

  @Test func theSecondScanDownDoesSoToo() throws {
    let world = try TreeWorld(settings())
    let tree = try appended(10, world)
    let first = try tree.entriesDown()
    #expect(try tree.entriesDown() == first)
    #expect(try leaf(tree, world) == [10, 0])
    try tree.destroy()
  }

  @Test func fewAppendedWordsAreSortedAgain() throws {
    let world = try TreeWorld(settings())
    let tree = try appended(3, world)
    for _ in 0..<4 { #expect(try tree.entries().count == 3) }
    #expect(try leaf(tree, world) == [0, 3])
    try tree.destroy()
  }

  /// A scan that would make two of a leaf leaves it alone.
  @Test func noScanSplitsALeaf() throws {
    var settings = self.settings()
    settings.leafEntries = 8
    let world = try TreeWorld(settings)
    let tree = try appended(10, world)
    for _ in 0..<4 { #expect(try tree.entries().count == 10) }
    #expect(try leaf(tree, world) == [0, 10])
    try tree.destroy()
  }

  /// The leaf names an LSN above those of the records that it settled: a cursor from before their commits
  /// shows none of them, whoever has put the leaf in order since.
  @Test func anOlderCursorSeesWhatItSaw() throws {
    let world = try TreeWorld(settings())
    let tree = try appended(4, world)
    let before = try tree.entries()
    let cursor = TreeCursor(tree)
    for number in 4..<12 { _ = try tree.put(Self.key(number), [9]) }
    _ = try tree.put(Self.key(0), [8])
    for _ in 0..<3 { #expect(try tree.entries().count == 12) }
    #expect(try leaf(tree, world) == [12, 0])
    let seen = try tree.entries(cursor)
    #expect(seen == before)
    #expect(try tree.checkInvariants().isEmpty)
    try tree.destroy()
  }

  /// And no more than that: a cursor that began after the commits need not look at each record again.
  @Test func theLeafNamesNoLaterMomentThanItMust() throws {
    let world = try TreeWorld(settings())
    let tree = try appended(10, world)
    let tail = world.context.log.tail
    let other = try world.tree(2)
    _ = try other.put([1], [1])
    defer { try? other.destroy() }
    for _ in 0..<2 { _ = try tree.entries() }
    #expect(try leaf(tree, world) == [10, 0])
    #expect(try withLeaf(tree, world) { $0.settledBelow } <= tail)
    try tree.destroy()
  }
}
