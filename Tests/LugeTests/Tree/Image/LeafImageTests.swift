import Testing

@testable import Luge

/// What is written comes back, and in how many bytes.
@Suite struct LeafImageTests {
  static func entries(
    _ family: KeyFamily, _ count: Int, _ random: inout TestRandom
  ) -> [ImageEntry] {
    let valueMode = random.below(3)
    let hasTombstones = random.below(3) == 0
    return family.keys(count, &random).map { key in
      let length = valueMode == 0 ? 20 : valueMode == 1 ? random.below(8) : random.below(300)
      if hasTombstones && random.below(3) == 0 {
        return ImageEntry(key: key, value: [], kind: .tombstone)
      }
      return ImageEntry(key: key, value: (0..<length).map { _ in UInt8(random.below(256)) })
    }
  }

  @Test(arguments: KeyFamily.allCases)
  func fragmentsComeBack(family: KeyFamily) throws {
    var random = TestRandom(11)
    for round in 0..<60 {
      let entries = Self.entries(family, round == 0 ? 0 : 1 + random.below(140), &random)
      let first = entries.first?.key ?? []
      let low = [UInt8](first.prefix(random.below(first.count + 1)))
      let image = try ImageCodec.fragment(entries, after: 99, low: low, lsn: random.next())
      #expect(try ImageCodec.entries(image) == entries)
      let decoded = try LeafImage(decoding: image)
      #expect(decoded.low == low && decoded.high == nil && decoded.previous == 99)
      #expect(decoded.tree == 7 && decoded.count == entries.count && decoded.isFragment)
    }
  }

  @Test(arguments: KeyFamily.allCases)
  func basesComeBack(family: KeyFamily) throws {
    var random = TestRandom(12)
    for round in 0..<60 {
      var entries = Self.entries(family, round == 0 ? 0 : 1 + random.below(140), &random)
      entries.removeAll { $0.kind == .tombstone }
      let low = entries.first?.key ?? []
      let high: [UInt8]? = random.below(4) == 0 ? nil : (entries.last?.key ?? low) + [0]
      let image = try ImageCodec.base(entries, low: low, high: high)
      #expect(try ImageCodec.entries(image) == entries)
      let decoded = try LeafImage(decoding: image)
      #expect(decoded.low == low && decoded.high == high && !decoded.isFragment)
      #expect(try ImageCodec.merge([(8, image)], low: low) == entries)
    }
  }

  @Test func longestKeysAndManyEntries() throws {
    let longest = [UInt8](repeating: 7, count: TreeSettings.longestKey)
    let entries = [
      ImageEntry(key: [UInt8](longest.dropLast()), value: [1]),
      ImageEntry(key: longest, value: [UInt8](repeating: 3, count: 70_000)),
    ]
    #expect(try ImageCodec.entries(ImageCodec.base(entries, low: longest.dropLast())) == entries)
    let many = (0..<LeafImage.largestCount).map { number in
      ImageEntry(key: [UInt8(number >> 8), UInt8(number & 255)], value: [])
    }
    let image = try ImageCodec.base(many)
    #expect(image.count < 32, "keys that count up and empty values take nothing")
    #expect(try ImageCodec.entries(image) == many)
  }

  /// Of a leaf of 128 keys that count up: the bytes of the image less its values and what it takes
  /// without keys, against the bytes of the keys.
  @Test(
    arguments: [
      (.bigEndian, 99), (.decimal, 99), (.hexadecimal, 99), (.upperHexadecimal, 99),
      (.numberThenText, 99),
    ] as [(KeyFamily, Int)])
  func keysThatCountUpTakeNothing(family: KeyFamily, percent: Int) throws {
    var random = TestRandom(5)
    let entries = family.keys(129, &random).map {
      ImageEntry(key: [UInt8](repeating: 5, count: 8) + $0, value: [UInt8](repeating: 1, count: 9))
    }
    let low = entries[0].key
    let image = try ImageCodec.base(
      [ImageEntry](entries.dropLast()), low: low, high: entries[128].key)
    let nothing = try ImageCodec.base([], low: low, high: entries[128].key)
    let keyBytes = 128 * low.count
    let stored = image.count - nothing.count - 128 * 9
    #expect(stored * 100 <= keyBytes * (100 - percent), "\(stored) of \(keyBytes) bytes")
    // With the low and the high key, without which the page could not be found.
    #expect((image.count - 128 * 9) * 100 <= keyBytes * 4, "\(image.count - 128 * 9)")
  }

  @Test func gapsTakeOneByteEach() throws {
    var random = TestRandom(6)
    let keys = KeyFamily.decimalWithGaps.keys(128, &random)
    let image = try ImageCodec.base(keys.map { ImageEntry(key: $0, value: []) })
    #expect(image.count < 2 * 128 + 60)
  }

  @Test func wordsAreFrontCoded() throws {
    let words = ["season", "seasonable", "seasonably", "seasonal", "seasonally", "seasoned"]
    let image = try ImageCodec.base(words.map { ImageEntry(key: Array($0.utf8), value: []) })
    // Head, layout with "season", then a byte each and "able", "y", "l", "ly", "ed".
    #expect(image.count == 9 + 11 + 5 + 4 + 1 + 1 + 2 + 2)
  }
}
