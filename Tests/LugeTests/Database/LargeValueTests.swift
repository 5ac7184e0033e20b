import Platform
import Testing

@testable import Luge

/// Values that lie apart from their keys, and commits that do.
@Suite struct LargeValueTests {
  static func configuration() -> Configuration {
    var configuration = CleanerTests.configuration()
    configuration.valueSegmentSize = 64 << 10
    configuration.largeValueSize = 256
    return configuration
  }

  static func open(
    _ platform: PlatformServices, _ configuration: Configuration = configuration()
  ) throws -> Database {
    try Database.open(at: "/db", configuration: configuration, platform: platform)
  }

  static func key(_ number: Int) -> [UInt8] { Array("key\(1000 + number)".utf8) }

  /// Bytes that a mix-up would show.
  static func value(_ seed: Int, _ count: Int) -> [UInt8] {
    var random = SplitMix(UInt64(bitPattern: Int64(seed)))
    return random.bytes(count)
  }

  /// What a kill leaves: everything that was handed to the file system.
  static func killed(_ platform: PlatformServices) throws -> PlatformServices {
    try TestFiles.world(try TestFiles.contents(platform.files))
  }

  private static func viewed(_ tree: Tree, _ number: Int) throws -> [UInt8]? {
    guard let view = try tree.view(forKey: key(number)) else { return nil }
    return view.copy()
  }

  static func check(_ database: Database, _ model: [Int: [UInt8]]) throws {
    let tree = database.defaultTree
    for (number, value) in model.sorted(by: { $0.key < $1.key }) {
      #expect(try tree.value(forKey: key(number)) == value, "key \(number)")
    }
    #expect(try tree.count() == model.count)
    #expect(try database.verify().problems == [])
  }

  /// Below and above the bound, the buffers, a quarter of a segment, and a segment.
  static let lengths = [0, 1, 255, 256, 257, 4000, 8300, 16_000, 16_500, 70_000, 200_000]

  @Test func valuesOfAllSizesComeBackByEveryWay() throws {
    let platform = PlatformServices.inMemory()
    let database = try Self.open(platform)
    let tree = database.defaultTree
    var model: [Int: [UInt8]] = [:]
    for (number, length) in Self.lengths.enumerated() {
      model[number] = Self.value(number, length)
      #expect(try tree.updateValue(model[number]!, forKey: Self.key(number)) == nil)
    }
    for round in 0..<2 {
      try Self.check(database, model)
      for (number, value) in model {
        #expect(try Self.viewed(tree, number) == value)
        let seen = try tree.withValue(forKey: Self.key(number)) { $0.byteCount }
        #expect(seen == value.count)
        #expect(try tree.contains(Self.key(number)))
      }
      let up = try tree.entries()
      #expect(up.map(\.value) == Self.lengths.indices.map { model[$0]! })
      var cursor = tree.cursor()
      var down: [[UInt8]] = []
      while let entry = try cursor.previous() { down.append(entry.value) }
      #expect(down == up.map(\.value).reversed())
      // From both ends at once, until they meet.
      var both = tree.cursor()
      var met = 0
      while try met % 2 == 0 ? both.moveNext() : both.movePrevious() { met += 1 }
      #expect(met == model.count)
      #expect(try tree.keys().count == model.count)
      // The second round reads pages that were evicted or came from disk.
      if round == 0 { try database.checkpoint() }
    }
    let sum = try tree.checksum()
    try database.close()
    let again = try Self.open(platform)
    try Self.check(again, model)
    #expect(try again.defaultTree.checksum() == sum)
    try again.close()
  }

  @Test func writesSeeWhatTheyReplace() throws {
    let database = try Self.open(.inMemory())
    let tree = database.defaultTree
    let (first, second) = (Self.value(1, 5000), Self.value(2, 5000))
    let key = Self.key(0)
    #expect(try tree.updateValue(first, forKey: key) == nil)
    let tail = try database.statistics().tailLSN
    // An equal value writes nothing.
    #expect(try tree.updateValue(first, forKey: key) == first)
    try tree.setValue(first, forKey: key)
    #expect(try database.statistics().tailLSN == tail)
    #expect(try tree.updateValue(second, forKey: key) == first)
    var result = try tree.compareExchange(key: key, expected: first, desired: nil)
    #expect(!result.exchanged && result.original == second)
    result = try tree.compareExchange(key: key, expected: second, desired: first)
    #expect(result.exchanged && result.original == second)
    result = try tree.compareExchange(key: key, expected: first, desired: [1])
    #expect(result.exchanged && result.original == first)
    let both = try tree.update(forKey: key) { _ in second }
    #expect(both.old == [1] && both.new == second)
    #expect(try tree.popFirst()?.value == second)
    try tree.setValue(first, forKey: key)
    #expect(try tree.removeValue(forKey: key) == first)
    try tree.setValue(second, forKey: key)
    try tree.discardValue(forKey: key)
    #expect(try tree.isEmpty())
    try tree.setValue(second, forKey: key)
    #expect(try tree.removeAll() == 1)
    #expect(try database.verify().problems == [])
    try database.close()
  }

  @Test func aSnapshotKeepsReplacedValues() throws {
    let database = try Self.open(.inMemory())
    let tree = database.defaultTree
    for number in 0..<20 {
      try tree.setValue(Self.value(number, 3000), forKey: Self.key(number))
    }
    let snapshot = try database.snapshot()
    var cursor = tree.cursor()
    guard let view = try tree.view(forKey: Self.key(3)) else { throw LugeError(.notFound, "3") }
    for round in 1..<6 {
      for number in 0..<20 {
        try tree.setValue(Self.value(100 * round + number, 3000), forKey: Self.key(number))
      }
      try database.performBackgroundWork()
      try database.checkpoint()
    }
    for number in 0..<20 {
      let old = Self.value(number, 3000)
      #expect(try snapshot.value(forKey: Self.key(number), in: tree) == old)
      let entry = try cursor.next()
      #expect(entry?.value == old)
    }
    let kept = view.copy()
    #expect(kept == Self.value(3, 3000))
    #expect(try database.verify().problems == [])
    try database.close()
  }

  /// Where a cursor looks beneath a newer record and finds a value that lies apart, behind others that
  /// do not and so are shown first.
  @Test(arguments: [true, false])
  func aCursorMeetsReplacedValuesApartBehindOthers(up: Bool) throws {
    let database = try Self.open(.inMemory())
    let tree = database.defaultTree
    func length(_ number: Int) -> Int { number % 3 == 2 ? 3000 : 20 }
    for number in 0..<60 {
      try tree.setValue(Self.value(number, length(number)), forKey: Self.key(number))
    }
    var cursor = tree.cursor()
    for number in 0..<60 {
      try tree.setValue(Self.value(100 + number, length(number + 1)), forKey: Self.key(number))
    }
    for step in 0..<60 {
      let number = up ? step : 59 - step
      let entry = up ? try cursor.next() : try cursor.previous()
      #expect(entry?.key == Self.key(number))
      #expect(entry?.value == Self.value(number, length(number)), "\(number)")
    }
    try database.close()
  }

  @Test func whatWasFlushedSurvivesAKill() throws {
    let platform = PlatformServices.inMemory()
    let database = try Self.open(platform)
    var model: [Int: [UInt8]] = [:]
    for number in 0..<60 {
      model[number % 25] = Self.value(number, Self.lengths[number % 9])
      try database.defaultTree.setValue(model[number % 25]!, forKey: Self.key(number % 25))
      if number == 30 { try database.checkpoint() }
    }
    try database.defaultTree.discardValue(forKey: Self.key(7))
    model[7] = nil
    try database.flush()
    let world = try Self.killed(platform)
    // Recovery twice gives the same.
    for _ in 0..<2 {
      let again = try Self.open(try Self.killed(world))
      try Self.check(again, model)
    }
    let again = try Self.open(world)
    try Self.check(again, model)
    try again.close()
    try database.close()
  }

  @Test func spaceComesBack() throws {
    let platform = PlatformServices.inMemory()
    let database = try Self.open(platform)
    var model: [Int: [UInt8]] = [:]
    for round in 0..<30 {
      for number in 0..<40 {
        // Every fourth stays from the beginning, so segments are never dead as a whole.
        if round > 0 && number % 4 == 0 { continue }
        model[number] = Self.value(round * 100 + number, 1000 + 50 * number)
        try database.defaultTree.setValue(model[number]!, forKey: Self.key(number))
      }
      try database.performBackgroundWork()
    }
    for _ in 0..<6 { try database.performBackgroundWork() }
    let live = model.values.reduce(0) { $0 + $1.count }
    #expect(database.core.valueCleaner.counters.recordsMoved.load() > 0)
    #expect(try database.statistics().valueBytes < 2 * live + 3 * 64 << 10)
    try Self.check(database, model)
    try database.close()
    let again = try Self.open(platform)
    try Self.check(again, model)
    #expect(try again.defaultTree.removeAll() == 40)
    for _ in 0..<6 { try again.performBackgroundWork() }
    // The segment of each stream that is appended to.
    #expect(try again.statistics().valueBytes <= 2 * 64 << 10)
    try Self.check(again, [:])
    try again.close()
  }

  @Test func aDroppedTreeGivesItsValuesBack() throws {
    let platform = PlatformServices.inMemory()
    let database = try Self.open(platform)
    let tree = try database.tree(named: "large")
    for number in 0..<200 {
      try tree.setValue(Self.value(number, 2000), forKey: Self.key(number))
    }
    try database.checkpoint()
    try database.dropTree(named: "large")
    #expect(try database.verify().problems == [])
    for _ in 0..<4 { try database.performBackgroundWork() }
    #expect(try database.statistics().valueBytes <= 2 * 64 << 10)
    try database.close()
  }

  @Test func aBatchLargerThanTheLogIsOneCommit() throws {
    let platform = PlatformServices.inMemory()
    let database = try Self.open(platform)
    var model: [Int: [UInt8]] = [:]
    var batch = WriteBatch()
    for number in 0..<3000 {
      model[number] = Self.value(number, number % 100 == 0 ? 9000 : 200)
      batch.updateValue(model[number]!, forKey: Self.key(number), in: database.defaultTree)
    }
    // A later write of the batch replaces an earlier one.
    model[5] = Self.value(-5, 700)
    batch.updateValue(model[5]!, forKey: Self.key(5), in: database.defaultTree)
    model[6] = nil
    batch.removeValue(forKey: Self.key(6), in: database.defaultTree)
    try database.apply(batch)
    #expect(try database.statistics().tailLSN < 64 << 10)
    try Self.check(database, model)
    try database.flush()
    let again = try Self.open(try Self.killed(platform))
    try Self.check(again, model)
    try again.close()
    for _ in 0..<4 { try database.performBackgroundWork() }
    // The payload of the commit is dead once recovery needs it no more.
    try Self.check(database, model)
    try database.close()
    let later = try Self.open(platform)
    try Self.check(later, model)
    try later.close()
  }

  /// Recovery sorts operations by key; those of one key are in the order of their commits, though the
  /// payload of a large one lies elsewhere and reaches beyond the next LSN.
  @Test func aCommitAfterALargeOneWins() throws {
    let platform = PlatformServices.inMemory()
    var configuration = Self.configuration()
    configuration.largeCommitSize = 1024
    let database = try Self.open(platform, configuration)
    var model: [Int: [UInt8]] = [:]
    var batch = WriteBatch()
    // Keys that share more than is looked at first, not in their order.
    let key = { (number: Int) in Array("a common beginning of keys \(1000 + number)".utf8) }
    for number in (0..<200).reversed() {
      model[number] = Self.value(number, 100)
      batch.updateValue(model[number]!, forKey: key(number), in: database.defaultTree)
    }
    batch.updateValue([0], forKey: [0], in: database.defaultTree)
    try database.apply(batch)
    for number in stride(from: 0, to: 200, by: 3) {
      model[number] = Self.value(-number, 10)
      try database.defaultTree.setValue(model[number]!, forKey: key(number))
    }
    try database.flush()
    let again = try Self.open(try Self.killed(platform), configuration)
    for number in 0..<200 {
      #expect(try again.defaultTree.value(forKey: key(number)) == model[number], "key \(number)")
    }
    try again.close()
    try database.close()
  }

  @Test func aLargeValueTakesNoMemory() throws {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    let database = try Self.open(.inMemory(), configuration)
    let tree = database.defaultTree
    let value = [UInt8](repeating: 7, count: 40 << 20)
    let before = try database.statistics().memoryBytes
    try tree.setValue(value, forKey: [1])
    #expect(try database.statistics().memoryBytes - before < 1 << 20)
    #expect(try tree.value(forKey: [1]) == value)
    #expect(try database.statistics().memoryBytes - before < 1 << 20)
    do {
      guard let view = try tree.view(forKey: [1]) else { throw LugeError(.notFound, "1") }
      // The view has it, and that is counted.
      #expect(try database.statistics().memoryBytes - before >= 40 << 20)
      let seen = view.copy()
      #expect(seen == value)
    }
    try database.core.context.epochs.reclaim()
    #expect(try database.statistics().memoryBytes - before < 1 << 20)
    try database.close()
  }
}
