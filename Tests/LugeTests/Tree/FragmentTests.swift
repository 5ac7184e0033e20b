import Testing

@testable import Luge

/// When a page is written as a fragment, when as a base, and that both come back.
@Suite struct FragmentTests {
  /// One page of 60 entries with values of 20 bytes, written as a base.
  private static func page() throws -> (TreeWorld, BLinkTree, PageImage) {
    var settings = TreeSettings()
    settings.leafEntries = 100
    settings.appendWords = 8
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    for number in 0..<60 {
      _ = try tree.put([UInt8(number)], [UInt8](repeating: UInt8(number), count: 20))
    }
    let image = try write(tree)
    #expect(image.parts.count == 1 && image.wasWritten)
    return (world, tree, image)
  }

  private static func write(_ tree: BLinkTree) throws -> PageImage {
    try tree.writeOut(covering: [0])
  }

  private static func expectSame(
    _ world: TreeWorld, _ tree: BLinkTree, _ image: PageImage
  ) throws {
    let loaded = try TreeRecoveryTests.load(world, [image])
    #expect(try loaded.entries() == tree.entries())
    #expect(image.entries == tree.entryCount)
    try loaded.destroy()
  }

  @Test func changesGoBehindTheBaseUntilThereAreTooMany() throws {
    let (world, tree, base) = try Self.page()
    var image = base
    for round in 1...LeafContents.mostFragments {
      _ = try tree.put([UInt8(round)], [UInt8(round), 1])
      if round % 3 == 0 { _ = try tree.remove([UInt8(40 + round)]) }
      let next = try Self.write(tree)
      #expect(next.parts == image.parts + [next.parts[next.parts.count - 1]])
      #expect(next.lsn > image.lsn)
      image = next
      try Self.expectSame(world, tree, image)
    }
    _ = try tree.put([1], [])
    let whole = try Self.write(tree)
    #expect(whole.parts.count == 1, "too many fragments make a base")
    try Self.expectSame(world, tree, whole)
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func manyChangesMakeABase() throws {
    let (world, tree, base) = try Self.page()
    for number in 0..<20 {
      _ = try tree.put([UInt8(number)], [UInt8](repeating: 0xFF, count: 20))
    }
    let fragment = try Self.write(tree)
    #expect(fragment.parts.count == 2)
    #expect(2 * fragment.parts[1].bytes <= base.parts[0].bytes)
    for number in 20..<32 {
      _ = try tree.put([UInt8(number)], [UInt8](repeating: 0xFF, count: 20))
    }
    #expect(try Self.write(tree).parts.count == 1, "fragments above half of the base")
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func movesAndSplitsMakeBases() throws {
    let (world, tree, base) = try Self.page()
    _ = try tree.put([1], [1])
    let fragment = try Self.write(tree)
    let moved = try tree.move(base.parts[0], covering: [0])
    #expect(fragment.parts.count == 2 && moved.parts.count == 1)
    try Self.expectSame(world, tree, moved)
    // Dirty or not.
    _ = try tree.put([2], [2])
    let again = try tree.move(moved.parts[0], covering: [0])
    #expect(again.parts.count == 1)
    try Self.expectSame(world, tree, again)
    for number in 60..<120 { _ = try tree.put([UInt8(number)], []) }
    let pages = try TreeRecoveryTests.checkpoint(tree)
    #expect(pages.count > 1 && pages.allSatisfy { $0.parts.count == 1 })
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func nothingNewWritesNothing() throws {
    let (world, tree, base) = try Self.page()
    let live = try world.context.pages.liveBytes()
    // The leaf is marked before the write comes to nothing.
    let pin = try world.context.epochs.pin()
    tree.descend(ByteView.empty, pin)?.leaf?.markDirty()
    pin.end()
    let image = try Self.write(tree)
    #expect(image.parts == base.parts && image.lsn == base.lsn && !image.wasWritten)
    #expect(try world.context.pages.liveBytes() == live)
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }
}

extension BLinkTree {
  /// Writes the resident page that covers `key` elsewhere, because `part` is to be moved: what the
  /// cleaner does.
  func move(_ part: PagePart, covering key: [UInt8]) throws -> PageImage {
    let pin = try context.epochs.pin()
    // The array outlives the closure, and the tree keeps nothing of it.
    let found = unsafe key.withUnsafeBytes { unsafe descend(ByteView($0), pin) }
    guard let page = found?.page, BLinkTree.claimResident(page) else {
      pin.end()
      throw LugeError(.notFound, "no page in memory that nobody has claimed")
    }
    pin.end()
    defer { page.releaseClaim() }
    guard let image = try writeOut(claimed: page, moving: part.address) else {
      throw LugeError(.notFound, "the page is not in memory")
    }
    return image
  }
}
