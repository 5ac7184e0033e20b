import Platform
import Testing

@testable import Luge

/// The cleaner at work in a database, on files in memory.
@Suite struct CleanerTests {
  /// Small segments, buffers and pages; nothing happens by itself.
  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    configuration.redoSegmentSize = 64 << 10
    configuration.pageSegmentSize = 64 << 10
    configuration.pageBufferSize = 8 << 10
    configuration.logBufferSize = 256 << 10
    configuration.maximumWriters = 8
    configuration.ordinaryCommitSize = 1024
    configuration.pageSize = 1024
    configuration.leafEntries = 32
    return configuration
  }

  private func open(_ platform: PlatformServices) throws -> Database {
    try Database.open(at: "/db", configuration: Self.configuration(), platform: platform)
  }

  private func key(_ number: Int) -> [UInt8] { Array("key\(100_000 + number)".utf8) }

  /// Allocated bytes of page segments, and live ones.
  private func space(_ database: Database) throws -> (allocated: Int, live: Int) {
    var allocated = 0
    var live = 0
    for segment in try database.core.pages.segmentList() {
      allocated += segment.fileBytes
      live += segment.liveBytes
    }
    return (allocated, live)
  }

  @Test func overwritesLeaveLittleDeadSpace() throws {
    let platform = PlatformServices.inMemory()
    var random = SplitMix(61)
    var model: [Int: [UInt8]] = [:]
    let database = try open(platform)
    for round in 0..<40 {
      for _ in 0..<400 {
        let number = random.below(3000)
        let value = random.bytes(20 + random.below(80))
        try database.defaultTree.updateValue(value, forKey: key(number))
        model[number] = value
      }
      try database.checkpoint()
      if round % 4 == 3 { try database.performBackgroundWork() }
    }
    for _ in 0..<6 { try database.performBackgroundWork() }
    let counters = database.core.cleaner.counters
    #expect(counters.segmentsCleaned.load() > 5)
    #expect(counters.recordsMoved.load() > 50)
    let (allocated, live) = try space(database)
    // The target, and a segment of each stream that is not full.
    #expect(live * 1000 > (allocated - 2 * 64 << 10) * 700, "\(live) of \(allocated) live")
    try check(database, model)
    try database.close()
    let again = try open(platform)
    try check(again, model)
    try again.close()
  }

  private func check(_ database: Database, _ model: [Int: [UInt8]]) throws {
    for (number, value) in model.sorted(by: { $0.key < $1.key }) {
      #expect(try database.defaultTree.value(forKey: key(number)) == value)
    }
    #expect(try database.verify().problems == [])
    #expect(database.core.pages.releaseViolations == 0)
  }

  @Test func pagesThatNobodyReadAreMovedWithoutBeingReadIn() throws {
    let platform = PlatformServices.inMemory()
    var first: Database? = try open(platform)
    for number in 0..<4000 {
      try first?.defaultTree.updateValue([UInt8](repeating: 1, count: 60), forKey: key(number))
    }
    try first?.close()
    first = nil
    let database = try open(platform)
    // Some pages are written again, whole because all of them changes: holes everywhere, and
    // neighbours that nobody looked at.
    func isChanged(_ number: Int) -> Bool { number / 100 % 3 == 0 }
    for number in 0..<4000 where isChanged(number) {
      try database.defaultTree.updateValue([UInt8](repeating: 7, count: 60), forKey: key(number))
    }
    try database.checkpoint()
    for _ in 0..<6 { try database.performBackgroundWork() }
    #expect(database.core.cleaner.counters.recordsMoved.load() > 0)
    var model: [Int: [UInt8]] = [:]
    for number in 0..<4000 {
      model[number] = [UInt8](repeating: isChanged(number) ? 7 : 1, count: 60)
    }
    try check(database, model)
    try database.close()
    let again = try open(platform)
    try check(again, model)
    try again.close()
  }

  @Test func aDatabaseThatIsEmptiedTakesLittleMoreThanOneThatNeverHeldAnything() throws {
    func bytes(_ platform: PlatformServices) throws -> Int {
      try platform.files.list("/db").reduce(0) { sum, name in
        sum + Int(try platform.files.status("/db/\(name)")?.size ?? 0)
      }
    }
    let untouched = PlatformServices.inMemory()
    // Open as the other one is: both have a redo segment in use.
    let idle = try open(untouched)
    for _ in 0..<8 { try idle.performBackgroundWork() }
    let platform = PlatformServices.inMemory()
    let database = try open(platform)
    for number in 0..<6000 {
      try database.defaultTree.updateValue([UInt8](repeating: 2, count: 60), forKey: key(number))
      if number % 1000 == 999 { try database.performBackgroundWork() }
    }
    try database.checkpoint()
    #expect(try bytes(platform) > 6 * 64 << 10)
    for number in 0..<6000 { try database.defaultTree.removeValue(forKey: key(number)) }
    for _ in 0..<8 { try database.performBackgroundWork() }
    // One segment of each kind, each with its first block.
    #expect(try bytes(platform) <= bytes(untouched) * 11 / 10 + 2 * (64 << 10) + 8192)
    try check(database, [:])
    try database.close()
    try idle.close()
  }

  @Test func aDroppedTreeGivesItsSpaceBack() throws {
    let database = try open(PlatformServices.inMemory())
    try database.defaultTree.updateValue([1], forKey: [1])
    try database.checkpoint()
    let before = try space(database).live
    let other = try database.tree(named: "other")
    for number in 0..<3000 {
      try other.updateValue([UInt8](repeating: 2, count: 60), forKey: key(number))
    }
    try database.checkpoint()
    #expect(try space(database).allocated > 3 * 64 << 10)
    #expect(try database.dropTree(named: "other"))
    for _ in 0..<6 { try database.performBackgroundWork() }
    let after = try space(database)
    #expect(after.live < before + 4096)
    #expect(after.allocated <= 3 * 64 << 10)
    #expect(try database.verify().problems == [])
    try database.close()
  }

  @Test func whatACrashLeftCountedAndUnnamedIsNotLive() throws {
    let platform = PlatformServices.inMemory()
    do {
      // Not closed.
      let first = try open(platform)
      for number in 0..<2000 { try first.defaultTree.updateValue([3], forKey: key(number)) }
      // As one that was evicted while the checkpoint wrote its table: counted, and named by nothing.
      _ = try first.core.pages.append(.leaf, [UInt8](repeating: 1, count: 5000))
      try first.checkpoint()
      #expect(try first.verify().problems.count == 1)
    }
    // `verify` compares what is counted with what is named, byte by byte.
    let again = try open(platform)
    try check(again, Dictionary(uniqueKeysWithValues: (0..<2000).map { ($0, [3]) }))
    try again.close()
  }
}
