import Platform
import Testing

@testable import Luge

/// A value view stays valid and unchanged whatever becomes of its record: by each way in which a record leaves
/// its tree, and by all of them at once. Under AddressSanitizer (ci/sanitize) a view of freed memory
/// would end the process.
@Suite struct ValueViewTests {
  /// A view, and what it showed at first.
  final class Held: Sendable {
    private let view: ValueView
    private let copy: [UInt8]

    init?(_ tree: Tree, _ key: [UInt8]) throws {
      guard let view = try tree.view(forKey: key) else { return nil }
      copy = Held.copy(view)
      self.view = view
    }

    private static func copy(_ view: borrowing ValueView) -> [UInt8] {
      ReadingTests.copy(view.bytes)
    }

    var isUnchanged: Bool { Held.copy(view) == copy }
    var isWhole: Bool { ValueViewTests.isWhole(copy) }
  }

  /// A cursor that stays where it is.
  final class HeldCursor {
    private var cursor: Cursor
    init(_ cursor: consuming Cursor) { self.cursor = cursor }
    func move() throws { #expect(try cursor.moveNext()) }
    func isAt(_ key: [UInt8], _ value: [UInt8]) -> Bool { HeldCursor.isAt(cursor, key, value) }

    private static func isAt(
      _ cursor: borrowing Cursor, _ key: [UInt8], _ value: [UInt8]
    ) -> Bool {
      ReadingTests.copy(cursor.key) == key && ReadingTests.copy(cursor.value) == value
    }
  }

  /// Leaves of a few entries, and memory for a few hundred entries.
  private static func open() throws -> Database {
    var configuration = DatabaseTests.manual()
    (configuration.leafEntries, configuration.leafAppendSlots) = (4, 2)
    configuration.chunkPages = 8
    configuration.pageSize = 512
    configuration.logBufferSize = 128 << 10
    (configuration.maximumWriters, configuration.ordinaryCommitSize) = (8, 1024)
    configuration.pageBufferSize = 4096
    configuration.redoSegmentSize = 64 << 10
    configuration.pageSegmentSize = 64 << 10
    configuration.memoryBudget = configuration.leastMemoryBudget + 128 << 10
    return try Database.open(at: "/db", configuration: configuration, platform: .inMemory())
  }

  private static func key(_ number: Int) -> [UInt8] {
    [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
  }

  /// Ninety times the same byte, so that a torn one shows.
  private static func value(_ number: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 90)
  }

  private static func isWhole(_ value: [UInt8]) -> Bool {
    value.count == 90 && value.allSatisfy { $0 == value[0] }
  }

  enum Fate: String, CaseIterable, Sendable {
    case overwritten, removed, batched, rangeRemoved, split, merged, evicted, dropped, closed
  }

  @Test(arguments: Fate.allCases)
  func aViewOutlives(_ fate: Fate) throws {
    let database = try Self.open()
    let tree = try database.tree(named: "t")
    for number in 0..<60 { try tree.setValue(Self.value(number), forKey: Self.key(16 * number)) }
    var held: [Held] = []
    for number in 0..<60 { if let one = try Held(tree, Self.key(16 * number)) { held.append(one) } }
    // A snapshot keeps old versions, and with them pages that would merge or go: then without.
    let cursor = fate == .merged || fate == .evicted ? nil : HeldCursor(tree.cursor())
    try cursor?.move()
    let pages = try TreeIndexTests.chunkSizes(tree.storage).reduce(0, +)
    try bring(fate, on: tree, of: database, pages)
    // Blocks that were let go of come back with other bytes: whatever is freed is used again.
    if fate != .closed {
      let other = try database.tree(named: "other")
      for number in 0..<3000 { try other.setValue(Self.value(number), forKey: [UInt8(number % 7)]) }
    }
    #expect(held.count == 60 && held.allSatisfy { $0.isUnchanged && $0.isWhole })
    #expect(cursor?.isAt(Self.key(0), Self.value(0)) ?? true)
    if fate != .closed { try database.close() }
    #expect(held.allSatisfy { $0.isUnchanged })
  }

  /// Makes it happen, and sees that it did.
  private func bring(
    _ fate: Fate, on tree: Tree, of database: Database, _ pages: Int
  ) throws {
    switch fate {
    case .overwritten:
      for turn in 1...3 {
        for number in 0..<60 {
          try tree.setValue(Self.value(number + turn), forKey: Self.key(16 * number))
        }
      }
    case .removed:
      for number in 0..<60 { try tree.removeValue(forKey: Self.key(16 * number)) }
      #expect(try tree.isEmpty())
    case .batched:
      var batch = WriteBatch()
      for number in 0..<60 { batch.updateValue([1], forKey: Self.key(16 * number), in: tree) }
      try database.apply(batch)
    case .rangeRemoved: #expect(try tree.removeAll() == 60)
    case .split:
      for number in 0..<960 where number % 16 != 0 {
        try tree.setValue(Self.value(number), forKey: Self.key(number))
      }
      #expect(try TreeIndexTests.chunkSizes(tree.storage).reduce(0, +) > 4 * pages)
    case .merged:
      for number in 1..<60 { try tree.removeValue(forKey: Self.key(16 * number)) }
      try database.checkpoint()
      #expect(try TreeIndexTests.chunkSizes(tree.storage).reduce(0, +) < pages / 2)
    case .evicted:
      let before = try database.statistics().evictions
      for number in 0..<4000 {
        try tree.setValue(Self.value(number), forKey: Self.key(1 << 16 | number))
      }
      #expect(try database.statistics().evictions > before + pages)
      // They come back, and are other records than those that are held.
      for number in 0..<60 {
        #expect(try tree.value(forKey: Self.key(16 * number)) == Self.value(number))
        try tree.setValue([1], forKey: Self.key(16 * number))
      }
    case .dropped: #expect(try database.dropTree(named: "t"))
    case .closed: try database.close()
    }
  }

  /// Readers keep the last 64 views each and look at them again and again, while writers overwrite,
  /// remove, insert, empty whole ranges and write checkpoints, in memory that is too small.
  @Test func viewsOfManyThreadsStayAsTheyAre() throws {
    let database = try Self.open()
    let tree = database.defaultTree
    for number in 0..<1500 { try tree.setValue(Self.value(number), forKey: Self.key(number)) }
    let threads = RealThreads()
    let wrong = AtomicWord(0)
    let looked = AtomicWord(0)
    let failed = AtomicWord(0)
    let working = AtomicWord(2)
    var ids: [ThreadID] = []
    for thread in 0..<2 {
      ids.append(
        try threads.spawn("writer-\(thread)") {
          do {
            var random = TestRandom(UInt64(40 + thread))
            for turn in 0..<6000 {
              let number = random.below(1500)
              switch random.below(8) {
              case 0, 1: try tree.removeValue(forKey: Self.key(number))
              case 2 where turn % 50 == 0:
                let range = KeyRange(lower: Self.key(number), upper: Self.key(number + 40))
                try tree.removeAll(in: range)
              case 3 where turn % 100 == 0: try database.performBackgroundWork()
              case 3 where turn % 100 == 50: try database.checkpoint()
              default: try tree.setValue(Self.value(number + turn), forKey: Self.key(number))
              }
            }
          } catch { _ = failed.fetchAdd(1) }
          _ = working.fetchSubtract(1)
        })
    }
    for thread in 0..<2 {
      ids.append(
        try threads.spawn("reader-\(thread)") {
          var random = TestRandom(UInt64(50 + thread))
          var held: [Held] = []
          do {
            while working.load() > 0 {
              if let one = try Held(tree, Self.key(random.below(1500))) {
                if !one.isWhole { _ = wrong.fetchAdd(1) }
                if held.count < 64 { held.append(one) } else { held[random.below(64)] = one }
              }
              for _ in 0..<3 where !held.isEmpty {
                if !held[random.below(held.count)].isUnchanged { _ = wrong.fetchAdd(1) }
                _ = looked.fetchAdd(1)
              }
            }
            for one in held where !one.isUnchanged { _ = wrong.fetchAdd(1) }
          } catch { _ = failed.fetchAdd(1) }
        })
    }
    for id in ids { try threads.join(id) }
    #expect(wrong.load() == 0 && failed.load() == 0 && looked.load() > 0)
    #expect(try database.statistics().evictions > 0)
    #expect(try database.verify().problems == [])
    try database.close()
  }
}
