import Platform
import Testing

@testable import Luge

/// What a cursor sees and holds while others write.
@Suite struct SnapshotTests {
  static func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

  static func fill(_ tree: BLinkTree, _ count: Int) throws {
    for number in 0..<count { _ = try tree.put(key(number), [UInt8(number & 255), 1]) }
  }

  /// Removes, overwrites and adds everywhere.
  static func churn(_ tree: BLinkTree, _ count: Int, _ random: inout TestRandom) throws {
    for _ in 0..<count {
      let key = key(random.below(600))
      if random.below(3) == 0 {
        _ = try tree.remove(key)
      } else {
        _ = try tree.put(key, random.value())
      }
    }
  }

  @Test(arguments: [true, false])
  func aCursorSeesTheStateOfItsBeginning(up: Bool) throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(5)
    try Self.fill(tree, 300)
    try Self.churn(tree, 300, &random)
    let expected = try tree.entries()
    var cursor = TreeCursor(tree)
    var met: [TreeEntry] = []
    while let entry = up ? try cursor.next() : try cursor.previous() {
      met.append(entry)
      try Self.churn(tree, 12, &random)
    }
    #expect(met == (up ? expected : expected.reversed()))
    #expect(try tree.entries() != expected)
    #expect(try tree.checkInvariants() == [])
    try tree.destroy()
  }

  /// Leaves that are built while a snapshot is held have records whose words say that they need no look,
  /// and which the snapshot does not see.
  @Test func aSnapshotLooksAtWhatIsNewerThanIt() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    for number in 0..<300 { _ = try tree.put(Self.key(2 * number), [1]) }
    var cursor = TreeCursor(tree)
    for number in 0..<300 { _ = try tree.put(Self.key(2 * number + 1), [2]) }
    var met = 0
    while let entry = try cursor.next() {
      #expect(entry.key == Self.key(2 * met) && entry.value == [1])
      met += 1
    }
    #expect(met == 300)
    #expect(try tree.entries().count == 600)
    try tree.destroy()
  }

  @Test func snapshotsAreSharedAndNested() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(6)
    try Self.fill(tree, 200)
    var snapshots: [(reader: Reader, lsn: UInt64, entries: [TreeEntry])] = []
    for _ in 0..<40 {
      try Self.churn(tree, 40, &random)
      let expected = try tree.entries()
      let (reader, lsn) = world.context.beginSnapshot()
      snapshots.append((reader, lsn, expected))
      if snapshots.count == 6 {
        let old = snapshots.remove(at: random.below(6))
        world.context.endSnapshot(old.reader)
      }
      for snapshot in snapshots {
        #expect(try tree.entries(TreeCursor(tree, at: snapshot.lsn)) == snapshot.entries)
        #expect(
          try tree.entriesDown(TreeCursor(tree, at: snapshot.lsn)) == snapshot.entries.reversed())
      }
    }
    for snapshot in snapshots { world.context.endSnapshot(snapshot.reader) }
    #expect(world.context.epochs.readers.snapshots.load() == 0)
    try tree.destroy()
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }

  /// However often a key is overwritten, a snapshot costs it one version.
  @Test func oldVersionsAreFewAndGo() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    try Self.fill(tree, 20)
    var cursor = TreeCursor(tree)
    _ = try cursor.next()
    let (reader, lsn) = world.context.beginSnapshot()
    for turn in 0..<5000 {
      _ = try tree.put(Self.key(turn % 20), [UInt8](repeating: UInt8(turn & 255), count: 100))
    }
    try world.context.epochs.reclaim()
    // 20 entries in three versions; a batch of retired blocks may wait.
    #expect(world.context.epochs.allocatedBytes < 60 * 160 + 400 * 160 + 20_000)
    #expect(try tree.entries(TreeCursor(tree, at: lsn)).map(\.value.count).max() == 2)
    world.context.endSnapshot(reader)
    _ = consume cursor
    for turn in 0..<20 { _ = try tree.put(Self.key(turn), [7]) }
    var chains = 0
    let pin = try world.context.epochs.pin()
    tree.forEachPage { page in
      var index = 0
      while index < page.leaf!.wordCount {
        let address = Leaf.record(page.leaf!.word(index).load())
        if address != 0 && Record(address: address).beneath != 0 { chains += 1 }
        index += 1
      }
    }
    pin.end()
    #expect(chains == 0)
    try tree.destroy()
  }

  /// A removed key stays for the snapshot that has it, and goes when the snapshot does.
  @Test func tombstonesStayAsLongAsNeeded() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    try Self.fill(tree, 100)
    var cursor = TreeCursor(tree)
    for number in 0..<100 { _ = try tree.remove(Self.key(number)) }
    for number in 100..<200 { _ = try tree.put(Self.key(number), [1]) }
    var met = 0
    while try cursor.moveNext() { met += 1 }
    #expect(met == 100)
    _ = consume cursor
    for number in 0..<100 {
      _ = try tree.put(Self.key(number), [2])
      _ = try tree.remove(Self.key(number))
    }
    #expect(try tree.entries().count == 100)
    try tree.destroy()
  }

  /// What a cursor lends is not freed, whatever becomes of the entry, its leaf or the tree.
  @Test func lentBytesStayAsTheyAre() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    try Self.fill(tree, 300)
    var cursor = TreeCursor(tree)
    for _ in 0..<40 { _ = try cursor.moveNext() }
    let record = cursor.record
    let (key, value) = (record.key.copy(), record.value.copy())
    var random = TestRandom(8)
    for turn in 0..<300 {
      _ = try tree.put(Self.key(39), random.value())
      try Self.churn(tree, 20, &random)
      if turn % 10 == 0 { try world.context.epochs.reclaim() }
      #expect(record.key.copy() == key && record.value.copy() == value)
    }
    tree.setState(.dropped)
    try tree.destroy()
    world.context.epochs.freeAll()
    #expect(record.key.copy() == key && record.value.copy() == value)
    #expect(throws: LugeError.self) { while try cursor.moveNext() {} }
    #expect(world.context.epochs.allocatedBytes > 0)
    _ = consume cursor
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }

  /// A cursor that nobody moves holds back one leaf's records, however much is written.
  @Test func aSlowCursorHoldsBackLittle() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(9)
    try Self.fill(tree, 500)
    var cursor = TreeCursor(tree)
    _ = try cursor.next()
    try Self.churn(tree, 3000, &random)
    try world.context.epochs.reclaim()
    let early = world.context.epochs.allocatedBytes
    try Self.churn(tree, 30_000, &random)
    try world.context.epochs.reclaim()
    // Both: the present state, the snapshot's, and what waits to be freed.
    #expect(world.context.epochs.allocatedBytes < early * 2)
    _ = consume cursor
    try tree.destroy()
  }

  @Test func leavesLargerThanARunAreReadInParts() throws {
    var settings = TreeWorld.tiny
    (settings.leafEntries, settings.appendWords, settings.leafBytes) = (900, 300, 1 << 20)
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    var random = TestRandom(10)
    for _ in 0..<2000 { _ = try tree.put(Self.key(random.below(1500)), random.value()) }
    let up = try tree.entries()
    #expect(up.count > 600)
    #expect(up.indices.dropFirst().allSatisfy { compareKeys(up[$0 - 1].key, up[$0].key) < 0 })
    #expect(try tree.entriesDown() == up.reversed())
    for entry in up { #expect(try tree.get(entry.key) == entry.value) }
    #expect(tree.count == UInt64(up.count))
    try tree.destroy()
  }
}
