import Platform
import Testing

@testable import Luge

/// Leaves that expect keys above all others.
@Suite struct AscendingLeafTests {
  private static func key(_ number: Int) -> [UInt8] {
    [
      UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
      UInt8(truncatingIfNeeded: number),
    ]
  }

  private func settings() -> TreeSettings {
    var settings = TreeSettings()
    settings.leafEntries = 16
    settings.appendWords = 4
    settings.chunkPages = 8
    return settings
  }

  private func pages(_ tree: BLinkTree, _ context: TreeContext) throws -> Int {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    var pages = 0
    let root = Branch(address: tree.root.load())
    for index in 0..<root.count {
      pages += ChunkWord.branch(Chunk(address: root.node(index)).word.load()).count
    }
    return pages
  }

  @Test func keysThatOnlyGrowFillTheirLeaves() throws {
    let world = try TreeWorld(settings())
    let tree = try world.tree()
    for number in 0..<1_600 { #expect(try tree.put(Self.key(number), [1]) == nil) }
    #expect(try tree.checkInvariants().isEmpty)
    #expect(tree.entryCount == 1_600)
    #expect(try pages(tree, world.context) <= 1_600 / 16 + 2, "all leaves but the last are full")
    for number in stride(from: 0, to: 1_600, by: 7) {
      #expect(try tree.get(Self.key(number)) == [1])
    }
  }

  /// Growing keys, of which some come out of turn, are written again, are removed or are asked for in
  /// vain.
  @Test(arguments: [1, 2, 3, 4])
  func agreesWithAModel(seed: UInt64) throws {
    let world = try TreeWorld(settings())
    let tree = try world.tree()
    var random = SplitMix(seed)
    var model: [Int: [UInt8]] = [:]
    for step in 0..<3_000 {
      let number: Int
      switch random.below(8) {
      case 0: number = max(0, 2 * step - random.below(40))
      case 1: number = random.below(2 * step + 1)
      default: number = 2 * step
      }
      let key = Self.key(number)
      if random.below(10) == 0 {
        #expect(try tree.remove(key) == model[number])
        model[number] = nil
      } else {
        let value = [UInt8(truncatingIfNeeded: step), UInt8(truncatingIfNeeded: step >> 8)]
        #expect(try tree.put(key, value) == model[number])
        model[number] = value
      }
      let other = max(0, 2 * step - random.below(60))
      #expect(try tree.get(Self.key(other)) == model[other])
      if step % 500 == 0 { #expect(try tree.checkInvariants().isEmpty) }
    }
    let found = try tree.entries().map { $0.key }
    #expect(found == model.keys.sorted().map { Self.key($0) })
  }

  @Test func severalThreadsThatGrowTogetherLoseNothing() throws {
    let world = try TreeWorld(settings())
    let tree = try world.tree()
    let next = AscendingCounter()
    try world.run(3) { _ in
      while true {
        let number = Int(next.word.fetchAdd(1))
        if number >= 3_000 { return }
        _ = try? tree.put(Self.key(number), [7])
      }
    }
    #expect(try tree.checkInvariants().isEmpty)
    #expect(try tree.entries().count == 3_000)
  }

  private final class AscendingCounter: Sendable {
    let word = AtomicWord(0)
  }
}
