import Testing

@testable import Luge

/// The levels above the pages: chunks split, keys stay found, and nothing is left behind.
@Suite struct TreeIndexTests {
  static func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

  /// Chunks of the tree, each with how many pages it has.
  static func chunkSizes(_ tree: BLinkTree) throws -> [Int] {
    let pin = try tree.context.epochs.pin()
    defer { pin.end() }
    let root = Branch(address: tree.root.load())
    return (0..<root.count).map { index in
      ChunkWord.branch(Chunk(address: root.node(index)).word.load()).count
    }
  }

  @Test(arguments: [1, 2, 5, 40])
  func chunksStayWithinTheirLimit(limit: Int) throws {
    var settings = TreeWorld.tiny
    settings.chunkPages = limit
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    var order = Array(0..<600)
    var random = TestRandom(UInt64(limit))
    order.shuffle(using: &random)
    for number in order { _ = try tree.put(Self.key(number), [1]) }
    let sizes = try Self.chunkSizes(tree)
    #expect(sizes.allSatisfy { $0 >= 1 && $0 <= limit })
    #expect(sizes.count > 600 / 4 / limit / 2)
    #expect(try tree.checkInvariants() == [])
    #expect(try tree.entries().map(\.key) == (0..<600).map(Self.key))
    #expect(try tree.entriesDown().map(\.key) == (0..<600).reversed().map(Self.key))
    try tree.destroy()
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }

  @Test func growingKeysLeaveFullChunksBehind() throws {
    var settings = TreeWorld.tiny
    settings.chunkPages = 16
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    for number in 0..<2000 { _ = try tree.put(Self.key(number), [1]) }
    let sizes = try Self.chunkSizes(tree)
    #expect(sizes.count > 10)
    #expect(sizes.dropLast().allSatisfy { $0 >= 14 })
    try tree.destroy()
  }

  /// Branches over keys that share much, little and nothing, against a plain search.
  @Test(arguments: [1, 2, 3])
  func branchFindsWhatASearchFinds(seed: UInt64) throws {
    let world = try TreeWorld()
    let pin = try world.context.epochs.pin()
    var random = TestRandom(seed)
    var lows: [[UInt8]] = [[]]
    let first = Self.page([], pin)
    var branch = unsafe withUnsafePointer(to: first.address) {
      unsafe Branch.build(pin, $0, count: 1)
    }
    var pages = [first]
    for _ in 0..<120 {
      let low = random.key()
      let place = lows.firstIndex { compareKeys($0, low) >= 0 } ?? lows.count
      #expect(Self.position(branch, low, strictly: true) == max(1, place))
      if place < lows.count && lows[place] == low {
        #expect(Self.position(branch, low, strictly: false) == place + 1)
        continue
      }
      #expect(Self.position(branch, low, strictly: false) == place)
      let page = Self.page(low, pin)
      let grown = branch.adding(page.address, at: place, after: branch.node(place - 1), pin)
      branch.free(pin)
      branch = grown
      lows.insert(low, at: place)
      pages.append(page)
      #expect((0..<branch.count).map { branch.low($0).copy() } == lows)
    }
    branch.free(pin)
    for page in pages { page.free(pin) }
    pin.end()
    #expect(world.context.epochs.allocatedBytes == 0)
  }

  static func page(_ low: [UInt8], _ pin: Pin) -> Page {
    unsafe low.withUnsafeBytes {
      unsafe Page.build(pin, low: ByteView($0), word: 16, imageLSN: 0)
    }
  }

  static func position(_ branch: Branch, _ key: [UInt8], strictly: Bool) -> Int {
    unsafe key.withUnsafeBytes { unsafe branch.position(ByteView($0), strictly: strictly) }
  }
}
