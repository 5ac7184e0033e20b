import Luge
import Platform
import Synchronization
import Testing

/// The reading side of the public interface, on files in memory and leaves of a few entries.
@Suite struct ReadingTests {
  static func open(_ entries: Int) throws -> (database: Database, tree: Tree) {
    var configuration = DatabaseTests.manual()
    (configuration.leafEntries, configuration.leafAppendSlots) = (4, 2)
    let database = try Database.open(
      at: "/db", configuration: configuration, platform: .inMemory())
    let tree = database.defaultTree
    for number in 0..<entries { try tree.updateValue(value(number), forKey: key(number)) }
    return (database, tree)
  }

  static func key(_ number: Int) -> [UInt8] { [UInt8(number / 256), UInt8(number % 256)] }
  static func value(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number % 256), count: 9) }

  static func copy(_ span: RawSpan) -> [UInt8] {
    // Copied before the span ends.
    unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
  }

  @Test func valuesAreLent() throws {
    let (database, tree) = try Self.open(40)
    var views = 0
    for number in 0..<40 {
      let key = Self.key(number)
      let found = try tree.withValue(forKey: key) { Self.copy($0) }
      #expect(found == Self.value(number))
      #expect(try unsafe tree.value(forKey: key.span.bytes) == Self.value(number))
      #expect(try unsafe tree.contains(key.span.bytes))
      if let view = try tree.view(forKey: key), view.bytes.byteCount == 9 { views += 1 }
    }
    #expect(views == 40)
    #expect(try tree.withValue(forKey: [9, 9]) { _ in 1 } == nil)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try tree.withValue(forKey: Self.key(1)) { _ in throw Stop() } }
    // The body may use the database, and write the very key.
    let former = try tree.withValue(forKey: Self.key(1)) { span in
      try tree.updateValue([], forKey: Self.key(1))
      try database.checkpoint()
      return Self.copy(span)
    }
    #expect(former == Self.value(1))
    #expect(try tree.value(forKey: Self.key(1)) == [])
    try database.close()
  }

  /// Many views at once, kept while everything around them is overwritten, removed, split, written
  /// out, dropped and closed.
  @Test func viewsStayAsTheyAre() throws {
    let (database, _) = try Self.open(0)
    let tree = try database.tree(named: "t")
    for number in 0..<60 { try tree.updateValue(Self.value(number), forKey: Self.key(number)) }
    try withViews(tree, 0) {
      var random = TestRandom(3)
      for turn in 0..<3000 {
        let key = Self.key(random.below(400))
        if random.below(3) == 0 {
          try tree.removeValue(forKey: key)
        } else {
          try tree.updateValue(random.value(), forKey: key)
        }
        if turn % 500 == 0 { try database.checkpoint() }
      }
      try database.dropTree(named: "t")
      try database.close()
    }
  }

  /// Holds a view of every value from `number` on, and looks at all of them after the body.
  private func withViews(_ tree: Tree, _ number: Int, _ body: () throws -> Void) throws {
    if number == 60 { return try body() }
    guard let view = try tree.view(forKey: Self.key(number)) else {
      Issue.record("no value")
      return
    }
    try withViews(tree, number + 1, body)
    #expect(Self.copy(view.bytes) == Self.value(number))
  }

  @Test func neighboursAreStrict() throws {
    let (database, tree) = try Self.open(30)
    #expect(try tree.first()?.key == Self.key(0) && tree.last()?.key == Self.key(29))
    for number in 1..<29 {
      #expect(try tree.entry(before: Self.key(number))?.key == Self.key(number - 1))
      #expect(try tree.entry(after: Self.key(number))?.key == Self.key(number + 1))
      #expect(try tree.entry(before: Self.key(number) + [0])?.key == Self.key(number))
    }
    #expect(try tree.entry(before: Self.key(0)) == nil && tree.entry(after: Self.key(29)) == nil)
    #expect(try tree.entry(after: [])?.key == Self.key(0))
    #expect(try tree.entry(before: []) == nil)
    try database.close()
  }

  @Test func boundsOfEveryKind() throws {
    let (database, tree) = try Self.open(20)
    let keys = try tree.keys()
    let ends: [KeyRange.Bound] =
      [.open] + keys[3..<6].map { .including($0) } + keys[3..<6].map { .excluding($0) }
    for lower in ends {
      for upper in ends {
        let expected = keys.filter { key in
          let isAbove =
            switch lower {
            case .open: true
            case .including(let bound): !key.lexicographicallyPrecedes(bound)
            case .excluding(let bound): bound.lexicographicallyPrecedes(key)
            }
          let isBelow =
            switch upper {
            case .open: true
            case .including(let bound): !bound.lexicographicallyPrecedes(key)
            case .excluding(let bound): key.lexicographicallyPrecedes(bound)
            }
          return isAbove && isBelow
        }
        #expect(try tree.keys(in: KeyRange(from: lower, to: upper)) == expected)
      }
    }
    #expect(try tree.values(in: .after(Self.key(17))) == [Self.value(18), Self.value(19)])
    #expect(try tree.keys(limit: 2) == [Self.key(0), Self.key(1)])
    try database.close()
  }

  @Test func poppingTakesFromBothEnds() throws {
    let (database, tree) = try Self.open(20)
    for number in 0..<8 {
      #expect(try tree.popFirst()?.key == Self.key(number))
      #expect(try tree.popLast()?.key == Self.key(19 - number))
    }
    #expect(try tree.popFirst(in: .after(Self.key(9)))?.key == Self.key(10))
    #expect(try tree.popLast(in: .upTo(Self.key(8))) == nil)
    #expect(try tree.count() == 3)
    try database.close()
  }

  /// Threads pop from both ends: every entry comes to one of them.
  @Test func poppingSharesOutEveryEntry() throws {
    let (database, tree) = try Self.open(400)
    let threads = RealThreads()
    let popped = Collected()
    let all = try (0..<4).map { number in
      try threads.spawn("pop-\(number)") {
        while let entry = try? number % 2 == 0 ? tree.popFirst() : tree.popLast() {
          popped.add(entry.key)
        }
      }
    }
    for thread in all { try threads.join(thread) }
    #expect(popped.sorted() == (0..<400).map { Self.key($0) })
    #expect(try tree.isEmpty())
    try database.close()
  }

  @Test func rangesAreRemoved() throws {
    let (database, tree) = try Self.open(50)
    #expect(try tree.removeAll(in: KeyRange(lower: Self.key(10), upper: Self.key(40))) == 30)
    #expect(try tree.removeAll(in: KeyRange(lower: Self.key(40), upper: Self.key(10))) == 0)
    #expect(try tree.keys() == (0..<10).map { Self.key($0) } + (40..<50).map { Self.key($0) })
    #expect(try tree.removeAll() == 20)
    #expect(try tree.isEmpty() && tree.first() == nil)
    try database.close()
  }

  @Test func sumsSayWhetherContentsAreEqual() throws {
    let (database, tree) = try Self.open(50)
    let other = try database.tree(named: "other")
    #expect(try other.checksum() == 0)
    #expect(try other.load(tree.entries().reversed()) == 50)
    let sum = try tree.checksum()
    #expect(try other.checksum() == sum && sum >> 32 == 50)
    #expect(try other.count() == 50)
    try other.removeValue(forKey: Self.key(7))
    #expect(try other.checksum() != sum)
    try other.updateValue(Self.value(7), forKey: Self.key(7))
    #expect(try other.checksum() == sum)
    #expect(try other.checksum(in: .upTo(Self.key(9))) != sum)
    // A byte that moves from a key to its value.
    try other.removeAll()
    try other.updateValue([2], forKey: [1])
    let first = try other.checksum()
    try other.removeAll()
    try other.updateValue([], forKey: [1, 2])
    #expect(try other.checksum() != first)
    try database.close()
  }

  @Test func loadingManyReplacesAndAdds() throws {
    let (database, tree) = try Self.open(10)
    let entries = (0..<2000).map { Entry(key: Self.key($0 / 2), value: Self.value($0)) }
    #expect(try tree.load(entries) == 2000)
    #expect(try tree.count() == 1000)
    #expect(try tree.value(forKey: Self.key(3)) == Self.value(7))
    #expect(try database.verify().problems == [])
    try database.close()
  }

  @Test func updatesAreMadeOfThePresentValue() throws {
    let (database, tree) = try Self.open(1)
    let added = try tree.update(forKey: [7]) { old in
      if let old { Issue.record("found \(old.byteCount) bytes") }
      return [1]
    }
    #expect(added.old == nil && added.new == [1])
    let raised = try tree.update(forKey: [7]) { old in [Self.copy(old!)[0] + 1] }
    #expect(raised.old == [1] && raised.new == [2])
    // Somebody comes between: the change is made again.
    var calls = 0
    let again = try tree.update(forKey: [7]) { old in
      calls += 1
      if calls == 1 { try tree.updateValue([40], forKey: [7]) }
      return [Self.copy(old!)[0] + 1]
    }
    #expect(calls == 2 && again.old == [40] && again.new == [41])
    let removed = try tree.update(forKey: [7]) { _ in nil }
    #expect(removed.old == [41] && removed.new == nil)
    #expect(try !tree.contains([7]))
    try database.close()
  }

  @Test func aSnapshotShowsAllTreesAsTheyWere() throws {
    let (database, tree) = try Self.open(30)
    let other = try database.tree(named: "other")
    try other.updateValue([1], forKey: [1])
    let before = try tree.entries()
    let snapshot = try database.snapshot()
    try tree.removeAll(in: .from(Self.key(20)))
    try tree.updateValue([5], forKey: Self.key(3))
    try other.updateValue([2], forKey: [1])
    try other.updateValue([3], forKey: [3])
    #expect(try snapshot.value(forKey: Self.key(3), in: tree) == Self.value(3))
    #expect(try snapshot.value(forKey: [1], in: other) == [1])
    #expect(try !snapshot.contains([3], in: other))
    #expect(try snapshot.contains(Self.key(25), in: tree))
    guard let view = try snapshot.view(forKey: Self.key(25), in: tree) else {
      Issue.record("no value")
      return
    }
    #expect(Self.copy(view.bytes) == Self.value(25))
    var cursor = try snapshot.cursor(of: tree)
    for entry in before.prefix(15) { #expect(try cursor.next() == entry) }
    for entry in before.suffix(15).reversed() { #expect(try cursor.previous() == entry) }
    #expect(try cursor.next() == nil && cursor.previous() == nil)
    let new = try database.tree(named: "new")
    try new.updateValue([1], forKey: [1])
    #expect(try snapshot.value(forKey: [1], in: new) == nil)
    let elsewhere = try Self.open(1)
    #expect(throws: LugeError.self) { try snapshot.value(forKey: [1], in: elsewhere.tree) }
    try elsewhere.database.close()
    try database.close()
    #expect(throws: LugeError.self) { try snapshot.value(forKey: [1], in: tree) }
  }

  @Test func entriesComeAsAnAsynchronousSequence() async throws {
    let (database, tree) = try Self.open(30)
    var keys: [[UInt8]] = []
    for try await entry in tree.stream(in: .from(Self.key(25))) {
      keys.append(entry.key)
      try tree.removeValue(forKey: Self.key(29))
    }
    #expect(keys == (25..<30).map { Self.key($0) })
    keys = []
    for try await entry in tree.stream(ascending: false) { keys.append(entry.key) }
    #expect(keys == (0..<29).reversed().map { Self.key($0) })
    try database.close()
  }

  @Test func spansOfACursorAreWhatItCopies() throws {
    let (database, tree) = try Self.open(100)
    var lending = tree.cursor()
    var copying = tree.cursor()
    #expect(lending.key.byteCount == 0 && lending.value.byteCount == 0)
    while try lending.moveNext() {
      let entry = try copying.next()
      #expect(Self.copy(lending.key) == entry?.key && Self.copy(lending.value) == entry?.value)
    }
    #expect(lending.key.byteCount == 0 && lending.value.byteCount == 0)
    var met = 0
    try tree.forEach(in: .from(Self.key(90))) { key, value in
      met += key.byteCount + value.byteCount
      return met < 33
    }
    #expect(met == 33)
    try database.close()
  }
}

/// Keys that several threads collect.
private final class Collected: Sendable {
  private let keys = Mutex<[[UInt8]]>([])

  func add(_ key: [UInt8]) { keys.withLock { $0.append(key) } }

  func sorted() -> [[UInt8]] {
    keys.withLock { keys in keys.sorted { $0.lexicographicallyPrecedes($1) } }
  }
}
