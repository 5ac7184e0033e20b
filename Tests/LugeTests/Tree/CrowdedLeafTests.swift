import Platform
import Testing

@testable import Luge

/// Several writers fill one leaf with large entries before the first of them comes to split it.
@Suite(.serialized) struct CrowdedLeafTests {
  private static let segment = 16 << 10
  private static let writers = 12
  private static func value(_ thread: Int, _ turn: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(16 * turn + thread), count: 3000)
  }

  /// Writers and one who writes the page out all the time. Answers the largest weight of a leaf met.
  private static func runOne(_ seed: UInt64) throws -> Int {
    var settings = TreeSettings()
    settings.leafBytes = segment / 8
    settings.appendWords = 2 * writers
    let world = try #require(InterleavingWorld(seed: seed, switchiness: 12))
    let base = try TreeWorld(settings, clock: world, threads: world, pageSegment: segment)
    let tree = try base.tree()
    var problems: [String] = []
    var heaviest = 0
    var working = writers
    for thread in 0..<writers {
      world.add {
        defer { working -= 1 }
        do {
          for turn in 0..<3 { _ = try tree.put([UInt8(thread), UInt8(turn)], value(thread, turn)) }
        } catch { problems.append("\(error)") }
      }
    }
    world.add {
      do {
        while working > 0 {
          heaviest = max(heaviest, try weight(tree))
          var walk = CheckpointWalk()
          try walk.visit(tree)
          try world.backOff(attempt: 0)
        }
      } catch { problems.append("\(error)") }
    }
    let ended = world.runAll()
    #expect(ended, "seed \(seed): \(world.situation)")
    #expect(problems == [], "seed \(seed)")
    world.end()
    if !ended { return 0 }
    let expected = (0..<writers).flatMap { thread in
      (0..<3).map { turn in
        TreeEntry(key: [UInt8(thread), UInt8(turn)], value: value(thread, turn))
      }
    }
    #expect(try tree.entries() == expected, "seed \(seed)")
    try TreeConcurrencyTests.expectCleanEnd(base, [tree])
    return heaviest
  }

  private static func weight(_ tree: BLinkTree) throws -> Int {
    let pin = try tree.context.epochs.pin()
    defer { pin.end() }
    return unsafe [UInt8]().withUnsafeBytes { unsafe tree.findPage(ByteView($0)) }?.leaf?
      .knownWeight
      ?? 0
  }

  @Test func pagesAreSplitWhereTheirImageWouldNotFitIntoASegment() throws {
    var crowded = 0
    for seed in 0..<60 where try Self.runOne(UInt64(seed)) > Self.segment { crowded += 1 }
    #expect(crowded > 0, "no leaf was ever larger than a segment")
  }
}
