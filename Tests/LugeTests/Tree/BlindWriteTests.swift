import Platform
import Testing

@testable import Luge

/// Writes into pages that are not in memory, in databases larger than their memory.
@Suite struct BlindWriteTests {
  /// Tiny pages, and no more memory than the least.
  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    configuration.logBufferSize = 128 << 10
    configuration.maximumWriters = 8
    configuration.ordinaryCommitSize = 1024
    configuration.pageBufferSize = 4096
    configuration.pageSize = 1024
    configuration.leafEntries = 16
    configuration.leafAppendSlots = 4
    configuration.chunkPages = 8
    configuration.redoSegmentSize = 64 << 10
    configuration.pageSegmentSize = 256 << 10
    configuration.memoryBudget = configuration.leastMemoryBudget
    return configuration
  }

  static func key(_ number: Int) -> [UInt8] {
    [UInt8(number >> 8), UInt8(number & 0xFF)]
  }

  static func value(_ number: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(number & 0xFF), count: 20 + number % 30)
  }

  /// Beside a model: sets, removals, counts and reads in random order, with restarts; each restart
  /// finds what the model has, and the exact count.
  @Test(arguments: [1, 2, 3]) func behavesLikeAModel(seed: Int) throws {
    var random = SplitMix(UInt64(seed))
    let platform = PlatformServices.inMemory()
    var model: [Int: [UInt8]] = [:]
    for life in 0..<4 {
      let database = try Database.open(
        at: "/d", configuration: Self.configuration(), platform: platform)
      let tree = database.defaultTree
      #expect(try tree.count() == model.count, "life \(life)")
      for turn in 0..<3000 {
        let number = random.below(1500)
        switch random.below(20) {
        case 0:
          #expect(try tree.removeValue(forKey: Self.key(number)) == model[number])
          model[number] = nil
        case 1: #expect(try tree.value(forKey: Self.key(number)) == model[number])
        case 2 where turn % 64 == 0: #expect(try tree.count() == model.count)
        case 3 where turn % 16 == 0: try database.checkpoint()
        case 4:
          var batch = WriteBatch()
          for step in 0..<4 {
            let other = (number + 300 * step) % 1500
            batch.updateValue(Self.value(turn + step), forKey: Self.key(other), in: tree)
            model[other] = Self.value(turn + step)
          }
          try database.apply(batch)
        default:
          try tree.setValue(Self.value(turn), forKey: Self.key(number))
          model[number] = Self.value(turn)
        }
      }
      #expect(try tree.count() == model.count)
      var seen = 0
      var cursor = tree.cursor()
      while let entry = try cursor.next() {
        let number = Int(entry.key[0]) << 8 | Int(entry.key[1])
        #expect(entry.value == model[number])
        seen += 1
      }
      #expect(seen == model.count)
      #expect(try database.verify().problems == [])
      try database.close()
    }
  }

  /// A snapshot that is older than a blind write sees what is on disk.
  @Test func snapshotsSeeWhatIsBeneath() throws {
    let database = try Database.open(
      at: "/d", configuration: Self.configuration(), platform: .inMemory())
    let tree = database.defaultTree
    for number in 0..<1500 { try tree.setValue(Self.value(number), forKey: Self.key(number)) }
    try database.checkpoint()
    for number in 0..<700 { _ = try tree.value(forKey: Self.key(1499 - number)) }
    let snapshot = try database.snapshot()
    for number in 0..<40 { try tree.setValue([7], forKey: Self.key(number * 3)) }
    for number in 0..<120 {
      #expect(try snapshot.value(forKey: Self.key(number), in: tree) == Self.value(number))
      #expect(
        try tree.value(forKey: Self.key(number)) == (number % 3 == 0 ? [7] : Self.value(number)))
    }
    try database.close()
  }
}
