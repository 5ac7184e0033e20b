import Platform
import Testing

@testable import Luge

/// A sorted array: what a tree must agree with.
struct SortedModel {
  var entries: [TreeEntry] = []

  private func place(_ key: [UInt8]) -> (index: Int, found: Bool) {
    let index = entries.firstIndex { compareKeys($0.key, key) >= 0 } ?? entries.count
    return (index, index < entries.count && entries[index].key == key)
  }

  func get(_ key: [UInt8]) -> [UInt8]? {
    let (index, found) = place(key)
    return found ? entries[index].value : nil
  }

  mutating func set(_ key: [UInt8], _ value: [UInt8]?) -> [UInt8]? {
    let (index, found) = place(key)
    let old = found ? entries[index].value : nil
    if let value {
      if found {
        entries[index].value = value
      } else {
        entries.insert(TreeEntry(key: key, value: value), at: index)
      }
    } else if found {
      entries.remove(at: index)
    }
    return old
  }

  func range(_ lower: ScanBound, _ upper: ScanBound) -> [TreeEntry] {
    entries.filter { entry in
      if let key = lower.key {
        let order = compareKeys(entry.key, key)
        if order < 0 || (order == 0 && lower.isExclusive) { return false }
      }
      if let key = upper.key {
        let order = compareKeys(entry.key, key)
        if order > 0 || (order == 0 && upper.isExclusive) { return false }
      }
      return true
    }
  }
}

@Suite struct TreeModelTests {
  static func bound(_ random: inout TestRandom) -> ScanBound {
    switch random.below(3) {
    case 0: return .unbounded
    case 1: return .inclusive(random.key())
    default: return .exclusive(random.key())
    }
  }

  static func step(
    _ tree: BLinkTree, _ model: inout SortedModel, _ random: inout TestRandom
  ) throws {
    let key = random.key()
    switch random.below(10) {
    case 0, 1, 2, 3:
      let value = random.value()
      #expect(try tree.put(key, value) == model.set(key, value))
    case 4, 5:
      #expect(try tree.remove(key) == model.set(key, nil))
    case 6:
      let expected = random.below(2) == 0 ? model.get(key) : random.value()
      let desired = random.below(3) == 0 ? nil : random.value()
      let result = try tree.exchange(key, expected, desired)
      #expect(result.old == model.get(key))
      #expect(result.applied == (model.get(key) == expected))
      if result.applied { _ = model.set(key, desired) }
    case 7, 8:
      #expect(try tree.get(key) == model.get(key))
    default:
      let (lower, upper) = (bound(&random), bound(&random))
      let expected = model.range(lower, upper)
      #expect(try tree.entries(TreeCursor(tree, from: lower, to: upper)) == expected)
      #expect(
        try tree.entriesDown(TreeCursor(tree, from: lower, to: upper)) == expected.reversed())
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6])
  func agreesWithASortedArray(seed: UInt64) throws {
    var random = TestRandom(seed)
    var settings = TreeWorld.tiny
    if seed % 3 == 0 {
      settings.leafEntries = 16
      settings.appendWords = 7
      settings.leafBytes = 3000
    } else if seed % 3 == 1 {
      settings.leafEntries = 1
      settings.appendWords = 1
    }
    let world = try TreeWorld(settings)
    let tree = try world.tree()
    var model = SortedModel()
    for _ in 0..<3000 { try Self.step(tree, &model, &random) }
    #expect(try tree.entries() == model.entries)
    #expect(try tree.entriesDown() == model.entries.reversed())
    #expect(tree.count == UInt64(model.entries.count))
    #expect(try tree.checkInvariants() == [])
    try tree.destroy()
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }

  @Test func mixedCursorTakesEveryEntryOnce() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    var random = TestRandom(11)
    var model = SortedModel()
    for _ in 0..<200 {
      let (key, value) = (random.key(), random.value())
      _ = try tree.put(key, value)
      _ = model.set(key, value)
    }
    for _ in 0..<50 {
      let (lower, upper) = (Self.bound(&random), Self.bound(&random))
      var expected = model.range(lower, upper)
      var cursor = TreeCursor(tree, from: lower, to: upper)
      while true {
        let up = random.below(2) == 0
        let entry = up ? try cursor.next() : try cursor.previous()
        let wanted = expected.isEmpty ? nil : up ? expected.removeFirst() : expected.removeLast()
        #expect(entry == wanted)
        if entry == nil { break }
      }
    }
    try tree.destroy()
  }

  @Test func prefixAndLimit() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let keys: [[UInt8]] = [
      [97], [97, 255], [97, 255, 255], [97, 255, 255, 1], [98], [255], [255, 255], [],
    ]
    for key in keys { _ = try tree.put(key, [1]) }
    let prefixed = try tree.entries(TreeCursor(tree, prefix: [97, 255]))
    #expect(prefixed.map(\.key) == [[97, 255], [97, 255, 255], [97, 255, 255, 1]])
    let high = try tree.entriesDown(TreeCursor(tree, prefix: [255]))
    #expect(high.map(\.key) == [[255, 255], [255]])
    #expect(try tree.entries(TreeCursor(tree, prefix: [])).count == 8)
    #expect(try tree.entries().map(\.key).prefix(3) == [[], [97], [97, 255]])
    #expect(try tree.entries(TreeCursor(tree, from: .inclusive([98]), to: .inclusive([97]))) == [])
    try tree.destroy()
  }

  @Test func limitsAreErrors() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let long = [UInt8](repeating: 1, count: TreeSettings.longestKey + 1)
    #expect(throws: LugeError.self) { try tree.put(long, []) }
    _ = try tree.put([UInt8](long.dropLast()), [2])
    #expect(try tree.get([UInt8](long.dropLast())) == [2])
    tree.setState(.dropped)
    #expect(throws: LugeError.self) { try tree.get([1]) }
    #expect(throws: LugeError.self) { try tree.put([1], [1]) }
    try tree.destroy()
    // Stale handles and cursors go on saying so.
    #expect(throws: LugeError.self) { try tree.get([1]) }
    #expect(throws: LugeError.self) { try tree.entries() }
    #expect(try tree.checkInvariants() == [])
    try tree.destroy()
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }
}
