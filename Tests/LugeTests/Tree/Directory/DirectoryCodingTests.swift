import Testing

@testable import Luge

/// Images of chunks and the list of chunks: what is written comes back, and no bytes trap.
@Suite struct DirectoryCodingTests {
  static func keys(_ random: inout TestRandom, _ count: Int) -> [[UInt8]] {
    var keys: [[UInt8]] = []
    for _ in 0..<count {
      let key = random.key()
      if let place = keys.firstIndex(where: { compareKeys($0, key) >= 0 }) {
        if keys[place] != key { keys.insert(key, at: place) }
      } else {
        keys.append(key)
      }
    }
    return keys
  }

  static func part(_ random: inout TestRandom) -> PagePart {
    PagePart(
      address: PageAddress(
        serial: random.next() % (1 << 32), offset: 8 + random.below(1 << 28) * 8),
      length: random.below(1 << 30))
  }

  static func image(_ random: inout TestRandom) -> ChunkImage {
    var keys = keys(&random, 2 + random.below(20))
    while keys.count < 2 { keys = Self.keys(&random, 20) }
    let high = random.below(2) == 0 ? nil : keys.removeLast()
    let base = random.next() >> 1
    return ChunkImage(
      tree: random.next(), high: high,
      pages: keys.map { low in
        ChunkPage(
          low: low, lsn: base + random.next() % 1000, entries: random.below(200),
          parts: (0...random.below(9)).map { _ in part(&random) })
      })
  }

  static func list(_ random: inout TestRandom) -> [ChunkEntry] {
    var list: [ChunkEntry] = []
    for tree in 0..<UInt64(random.below(6)) {
      for low in keys(&random, random.below(12)) {
        list.append(
          ChunkEntry(
            tree: tree * tree * 1000, low: low, image: part(&random), entries: random.below(9999)))
      }
    }
    return list
  }

  @Test func chunksComeBack() {
    var random = TestRandom(1)
    for _ in 0..<300 {
      let image = Self.image(&random)
      #expect(ChunkImage.decode(image.encode()) == image)
    }
  }

  @Test func listsComeBackFromTheirParts() throws {
    var random = TestRandom(2)
    for turn in 0..<200 {
      let list = Self.list(&random)
      let payloads = ChunkList.encode(list, target: [1, 60, 1 << 16][turn % 3])
      #expect(turn % 3 != 0 || payloads.count == list.count)
      #expect(turn % 3 != 2 || payloads.count == (list.isEmpty ? 0 : 1))
      var found: [ChunkEntry] = []
      for payload in payloads { found += try #require(ChunkList.decode(payload)) }
      #expect(found == list)
      let records = list.map(\.image)
      #expect(ChunkList.decodeRoot(ChunkList.encodeRoot(records)) == records)
    }
  }

  /// A database has millions of pages: what one costs here is written again and again.
  @Test func aPageTakesLittleRoom() {
    let pages = (0..<256).map { number in
      ChunkPage(
        low: Array("user\(10_000_000 + 97 * number)".utf8), lsn: 1 << 34 + UInt64(number) * 4000,
        entries: 120,
        parts: [
          PagePart(address: PageAddress(serial: 900, offset: 40_000 * number + 8), length: 4000)
        ]
      )
    }
    let bytes = ChunkImage(tree: 7, high: nil, pages: pages).encode().count
    #expect(bytes < 256 * 20)
  }

  @Test func whatIsCutOffOrChangedNeverTraps() {
    var random = TestRandom(3)
    for _ in 0..<400 {
      let image = Self.image(&random)
      let whole = image.encode()
      #expect(ChunkImage.decode(Array(whole.dropLast())) == nil)
      #expect(ChunkImage.decode(whole + [0]) == nil)
      var bytes = whole
      bytes[random.below(bytes.count)] = UInt8(random.below(256))
      if let found = ChunkImage.decode(bytes) { Self.expectSound(found) }
      for payload in ChunkList.encode(Self.list(&random), target: 1 << 16) {
        #expect(ChunkList.decode(Array(payload.dropLast())) == nil)
        var bytes = payload
        bytes[random.below(bytes.count)] = UInt8(random.below(256))
        let found = ChunkList.decode(bytes) ?? []
        for index in found.indices.dropFirst() where found[index - 1].tree == found[index].tree {
          #expect(compareKeys(found[index - 1].low, found[index].low) < 0)
        }
      }
      _ = ChunkList.decodeRoot(bytes)
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = TestRandom(4)
    for _ in 0..<5000 {
      var bytes = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
      if bytes.count > 2 { (bytes[0], bytes[1]) = (1, UInt8(random.below(2))) }
      if let found = ChunkImage.decode(bytes) { Self.expectSound(found) }
      _ = ChunkList.decode(bytes)
      _ = ChunkList.decodeRoot(bytes)
    }
  }

  static func expectSound(_ image: ChunkImage) {
    #expect(!image.pages.isEmpty)
    for index in image.pages.indices {
      #expect(!image.pages[index].parts.isEmpty)
      if index > 0 { #expect(compareKeys(image.pages[index - 1].low, image.pages[index].low) < 0) }
    }
    if let high = image.high { #expect(compareKeys(image.pages.last!.low, high) < 0) }
  }
}
