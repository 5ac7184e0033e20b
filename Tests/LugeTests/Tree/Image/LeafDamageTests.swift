import Testing

@testable import Luge

/// Damage that a checksum did not see: an error or entries that keep the order, never a trap.
@Suite struct LeafDamageTests {
  /// What must hold of whatever a decoder accepts.
  static func expectSound(_ image: LeafImage, _ bytes: [UInt8]) {
    var last: [UInt8]?
    var count = 0
    image.visit { key, value, kind in
      let key = key.copy()
      if let last { #expect(compareKeys(last, key) < 0) }
      #expect(compareKeys(key, image.low) >= 0)
      if let high = image.high { #expect(compareKeys(key, high) < 0) }
      #expect(kind != .tombstone || (image.isFragment && value.count == 0))
      last = key
      count += 1
    }
    #expect(count == image.count)
  }

  @Test(arguments: KeyFamily.allCases)
  func everyFlippedBit(family: KeyFamily) throws {
    var random = TestRandom(31)
    for round in 0..<2 {
      var entries = LeafImageTests.entries(family, 2 + random.below(20), &random)
      let low = [UInt8]((entries.first?.key ?? []).dropLast())
      if round % 2 == 0 { entries.removeAll { $0.kind == .tombstone } }
      let good =
        round % 2 == 0
        ? try ImageCodec.base(entries, low: low, high: (entries.last?.key ?? low) + [1])
        : try ImageCodec.fragment(entries, after: 64, low: low)
      // Values are opaque: their bits change nothing that could be noticed here.
      let bits = min(good.count, 400) * 8
      for bit in 0..<bits {
        var bytes = good
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        if let image = try? LeafImage(decoding: bytes) { Self.expectSound(image, bytes) }
      }
    }
  }

  @Test func everyTruncationAndAppendix() throws {
    var random = TestRandom(32)
    for family in KeyFamily.allCases {
      let entries = LeafImageTests.entries(family, 12, &random)
      let good = try ImageCodec.fragment(entries, after: 64)
      for length in 0..<good.count {
        #expect(throws: LugeError.self) { try LeafImage(decoding: [UInt8](good[0..<length])) }
      }
      #expect(throws: LugeError.self) { try LeafImage(decoding: good + [0]) }
    }
  }

  /// Bytes replaced, removed and doubled at random places.
  @Test func randomDamage() throws {
    var random = TestRandom(33)
    var accepted = 0
    for round in 0..<2000 {
      let family = KeyFamily.allCases[round % KeyFamily.allCases.count]
      let entries = LeafImageTests.entries(family, 1 + random.below(12), &random)
      var bytes = try ImageCodec.fragment(entries, after: 64)
      for _ in 0...random.below(3) {
        let place = random.below(min(bytes.count, 60))
        switch random.below(4) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
        case 2: bytes.remove(at: place)
        default: bytes.insert(bytes[place], at: place)
        }
        if bytes.isEmpty { break }
      }
      if let image = try? LeafImage(decoding: bytes) {
        accepted += 1
        Self.expectSound(image, bytes)
      }
    }
    #expect(accepted > 60, "the damage must get behind the first check at times")
  }

  @Test func noiseIsRefused() {
    var random = TestRandom(34)
    for _ in 0..<2000 {
      var bytes = (0..<random.below(80)).map { _ in UInt8(random.below(256)) }
      if bytes.count > 1 { (bytes[0], bytes[1]) = (1, bytes[1] & 3) }
      if let image = try? LeafImage(decoding: bytes) { Self.expectSound(image, bytes) }
    }
  }

  @Test func aNewerVersionIsNamed() throws {
    var bytes = try ImageCodec.base([])
    bytes[0] = 2
    let error = #expect(throws: LugeError.self) { try LeafImage(decoding: bytes) }
    #expect(error?.code == .unsupportedVersion)
  }
}
