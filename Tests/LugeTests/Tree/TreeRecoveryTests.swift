import Platform
import Synchronization
import Testing

@testable import Luge

/// Images, write-out, loading and replay, single-threaded and beside writers.
@Suite struct TreeRecoveryTests {
  /// All pages of a tree, left to right, as a checkpoint takes them.
  static func checkpoint(_ tree: BLinkTree) throws -> [PageImage] {
    var directory: [PageImage] = []
    var key: [UInt8]? = []
    while let from = key {
      let image = try tree.writeOut(covering: from)
      #expect(image.low == from)
      directory.append(image)
      key = image.high
    }
    return directory
  }

  static func load(_ world: TreeWorld, _ directory: [PageImage]) throws -> BLinkTree {
    var loader = TreeLoader(id: 1, context: world.context)
    do {
      for image in directory {
        try loader.append(
          low: image.low, image.parts, lsn: image.lsn, entries: UInt64(image.entries))
      }
      return try loader.finish()
    } catch {
      try loader.abandon()
      throw error
    }
  }

  static func written(_ images: [PageImage]) -> Int { images.count { $0.wasWritten } }

  @Test(arguments: [1, 2, 3])
  func imagesGiveTheTreeBack(seed: UInt64) throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(seed)
    var model = SortedModel()
    for _ in 0..<6 {
      for _ in 0..<200 { try TreeModelTests.step(tree, &model, &random) }
      let directory = try Self.checkpoint(tree)
      let loaded = try Self.load(world, directory)
      #expect(try loaded.entries() == model.entries)
      #expect(try loaded.checkInvariants() == [])
      for _ in 0..<100 { try TreeModelTests.step(loaded, &model, &random) }
      #expect(try loaded.checkInvariants() == [])
      try loaded.destroy()
      // The model went on with the copy; start the next round from it.
      for entry in try tree.entries() where model.get(entry.key) == nil {
        _ = try tree.remove(entry.key)
      }
      for entry in model.entries { _ = try tree.put(entry.key, entry.value) }
    }
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func cleanPagesAreNotWrittenAgain() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    for number in 0..<60 { _ = try tree.put([UInt8(number)], [1]) }
    let first = try Self.checkpoint(tree)
    #expect(Self.written(first) == first.count)
    let second = try Self.checkpoint(tree)
    #expect(Self.written(second) == 0)
    #expect(second.map(\.parts) == first.map(\.parts))
    _ = try tree.put([30], [2])
    _ = try tree.put([30], [2])
    _ = try tree.remove([200])
    #expect(Self.written(try Self.checkpoint(tree)) == 1)
    // Moving pages elsewhere.
    #expect(try tree.move(second[0].parts[0], covering: [0]).wasWritten)
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func replaySkipsWhatTheImageHas() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    for number in 0..<40 { _ = try tree.put([UInt8(number)], [UInt8(number)]) }
    let directory = try Self.checkpoint(tree)
    let loaded = try Self.load(world, directory)
    let lsn = directory[0].lsn
    // All that is replayed lies below the tail.
    _ = world.context.log.reserve(64)
    let key: [UInt8] = [5]
    try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
      #expect(unsafe try !loaded.replayDelete(lsn: lsn - 8, key: key))
      #expect(unsafe try loaded.replayDelete(lsn: lsn, key: key))
      #expect(unsafe try loaded.replayDelete(lsn: lsn + 8, key: key))
    }
    #expect(try loaded.get([5]) == nil)
    #expect(loaded.count == 39)
    for number in 0..<200 {
      let key: [UInt8] = [5, UInt8(number)]
      try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
        #expect(unsafe try loaded.replayPut(lsn: lsn + 16, key: key, value: key))
        // Split pages skip as the page that they came from.
        #expect(unsafe try !loaded.replayPut(lsn: lsn - 8, key: key, value: key))
      }
    }
    #expect(loaded.count == 239)
    #expect(try loaded.checkInvariants() == [])
    // What was replayed is dirty, the rest is not.
    let after = Self.written(try Self.checkpoint(loaded))
    #expect(after > 0)
    try loaded.destroy()
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  /// While two threads write, checkpoints run. In the end each clean page's last image is what the
  /// page has.
  @Test func writeOutBesideWriters() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let done = AtomicWord(0)
    let writers = 2
    try world.run(writers + 1) { thread in
      var random = TestRandom(UInt64(thread))
      if thread < writers {
        defer { _ = done.fetchAdd(1) }
        for turn in 0..<4000 {
          var key = random.key()
          key.append(UInt8(thread))
          _ = try? turn % 3 == 0 ? tree.remove(key) : tree.put(key, random.value())
        }
      } else {
        while done.load() < UInt64(writers) { _ = try? Self.checkpoint(tree) }
      }
    }
    let loaded = try Self.load(world, Self.checkpoint(tree))
    #expect(try tree.entries() == loaded.entries())
    try loaded.destroy()
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func imagesOutOfOrderAreRefused() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    for number in 0..<40 { _ = try tree.put([UInt8(number)], []) }
    let directory = try Self.checkpoint(tree)
    #expect(throws: LugeError.self) { try Self.load(world, [directory[1]]) }
    #expect(throws: LugeError.self) {
      try Self.load(world, [directory[0], directory[2], directory[1]])
    }
    // A page that is missing shows when the one before it is read, and only there.
    let gap = try Self.load(world, [directory[0]] + directory[2...])
    #expect(throws: LugeError.self) { try gap.get([0]) }
    let last = directory[directory.count - 1].low
    #expect(try gap.get(last) == [])
    try gap.destroy()
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }

  @Test func damagedImagesAreErrors() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    for number in 0..<4 { _ = try tree.put([97, 98, UInt8(number)], [UInt8(number), 2]) }
    let image = try tree.writeOut(covering: [])
    let good = try world.context.pages.read(image.parts[0], .leaf).payload
    #expect(try LeafImage(decoding: good).count == 4)
    for length in 0..<good.count {
      #expect(throws: LugeError.self) { try LeafImage(decoding: [UInt8](good[0..<length])) }
    }
    #expect(throws: LugeError.self) { try LeafImage(decoding: good + [0]) }
    var random = TestRandom(5)
    for _ in 0..<20_000 {
      var bytes = good
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if let image = try? LeafImage(decoding: bytes) {
        var last: [UInt8]? = nil
        image.visitEntries { key, _ in
          let key = key.copy()
          if let last, compareKeys(last, key) >= 0 { Issue.record("keys do not ascend") }
          last = key
        }
      }
      _ = try? LeafImage(decoding: (0..<random.below(80)).map { _ in UInt8(random.below(256)) })
    }
    try TreeConcurrencyTests.expectCleanEnd(world, [tree])
  }
}
