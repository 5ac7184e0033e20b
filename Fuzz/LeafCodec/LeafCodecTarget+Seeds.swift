@testable import Luge

// Inputs to begin with: an image of each family of keys, plain and compressed, and a recipe for each of several parts.
extension LeafCodecTarget {
  func seeds() -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    let maker = LeafMaker()
    for family in UInt8(0)..<7 {
      let recipe = Self.recipe(family)
      var reader = InputReader(recipe)
      let entries = LeafMaker.entries(&reader, tombstones: false)
      var removals = entries
      for index in removals.indices where index % 3 == 1 {
        removals[index] = LeafEntry(key: removals[index].key, value: [], kind: .tombstone)
      }
      let high = entries.last.map { $0.key + [1] }
      for compression in [Compression.none, .lz4, .zstd(level: 1)] {
        if let image = try? maker.base(
          entries, low: [], high: high, tree: 7, lsn: 4096, compression)
        {
          seeds.append([0] + image)
        }
      }
      if let image = try? maker.fragment(removals, after: 8, low: [], tree: 7, lsn: 5000, .none) {
        seeds.append([0] + image)
      }
      seeds.append([5, family & 3, 0, 2, 2, 0x75, 0x73] + recipe + recipe + recipe)
    }
    return seeds + Self.directorySeeds()
  }

  private static func recipe(_ family: UInt8) -> [UInt8] {
    var writer = InputWriter()
    writer.byte(family)
    writer.counted(Array("user".utf8))
    writer.counted(Array("/n".utf8))
    writer.number(UInt64(family) * 1000, bytes: 4)
    writer.byte(20)
    writer.byte(9)
    for number in UInt8(0)..<60 { writer.byte(number &* 3 & 15) }
    return writer.bytes
  }

  private static func directorySeeds() -> [[UInt8]] {
    var table = SegmentBytes()
    for serial in [1, 2, 5, 700] as [UInt64] { table.add(serial * 24, to: serial) }
    func part(_ number: Int) -> PagePart {
      PagePart(address: PageAddress(serial: UInt64(number), offset: 4096 + 8 * number), length: 77)
    }
    var pages: [ChunkPage] = []
    for number in 0..<6 {
      pages.append(
        ChunkPage(
          low: number == 0 ? [] : Array("key\(number)".utf8), lsn: 4096 + UInt64(number),
          entries: number == 3 ? ~7 : number, parts: (0...number % 3).map { part(number + $0) },
          values: number == 2 ? table : SegmentBytes()))
    }
    let chunk = ChunkImage(tree: 9, high: Array("key9".utf8), pages: pages)
    let list = (0..<5).map {
      ChunkEntry(
        tree: UInt64($0 / 2), low: $0 % 2 == 0 ? [] : [UInt8($0)], image: part($0), entries: $0)
    }
    return [
      [2] + chunk.encode(), [3] + ChunkList.encodeRoot([part(1), part(2)]),
      [3] + (ChunkList.encode(list, target: 1 << 20).first ?? []), [4] + table.encode(),
    ]
  }
}
