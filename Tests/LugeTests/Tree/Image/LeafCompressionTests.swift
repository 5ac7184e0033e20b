import Testing

@testable import Luge

@Suite struct LeafCompressionTests {
  static func text(_ count: Int) -> [ImageEntry] {
    (0..<count).map { number in
      ImageEntry(
        key: Array("user\(100_000 + 7 * number)".utf8),
        value: Array("{\"id\":\(number),\"name\":\"name \(number)\",\"active\":true}".utf8))
    }
  }

  @Test(arguments: CompressionTests.settings)
  func imagesComeBack(compression: Compression) throws {
    let entries = Self.text(100)
    let low = Array("user1".utf8)
    let plain = try ImageCodec.base(entries, low: low)
    let base = try ImageCodec.base(entries, low: low, high: [0xFF], compression: compression)
    #expect(base.count * 10 < plain.count * 6)
    #expect(try ImageCodec.entries(base) == entries)
    var changed = entries
    for index in stride(from: 0, to: 100, by: 3) { changed[index].value += [1] }
    let fragment = try ImageCodec.fragment(
      stride(from: 0, to: 100, by: 3).map { changed[$0] }, after: 8, low: low,
      compression: compression)
    #expect(try ImageCodec.merge([(8, base), (16, fragment)], low: low) == changed)
  }

  @Test(arguments: CompressionTests.settings)
  func whatDoesNotShrinkIsPlain(compression: Compression) throws {
    var random = TestRandom(1)
    let noise = (0..<20).map { number in
      ImageEntry(key: [UInt8(number)], value: (0..<200).map { _ in UInt8(random.below(256)) })
    }
    #expect(try ImageCodec.base(noise, compression: compression) == ImageCodec.base(noise))
    let few = [ImageEntry(key: [1], value: [UInt8](repeating: 1, count: 90))]
    #expect(try ImageCodec.base(few, compression: compression) == ImageCodec.base(few))
  }

  @Test(arguments: [Compression.lz4, .zstd])
  func everyFlippedBit(compression: Compression) throws {
    let good = try ImageCodec.base(Self.text(12), compression: compression)
    #expect(good[1] >> LeafImage.codecShift == compression.codec.rawValue)
    for bit in 0..<good.count * 8 {
      var bytes = good
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      if let image = try? LeafImage(decoding: bytes) { LeafDamageTests.expectSound(image, bytes) }
    }
  }

  /// A head may claim any size of the plain body.
  @Test func claimsAreBounded() throws {
    let good = try ImageCodec.base(Self.text(40), compression: .zstd)
    // Version, flags, tree, W (two bytes), n, m, l: then b.
    let place = 8
    func claiming(_ bytes: Int) -> [UInt8] {
      var writer = ByteWriter()
      writer.write([UInt8](good[0..<place]))
      writer.writeVarint(UInt64(bytes))
      writer.write([UInt8](good[(place + 2)...]))
      return writer.bytes
    }
    let body = Int(good[place] & 0x7F) | Int(good[place + 1]) << 7
    #expect(claiming(body) == good)
    for claim in [1, body - 1, body + 1, LeafImage.largestBody, LeafImage.largestBody + 1, Int.max]
    { #expect(throws: LugeError.self, "\(claim)") { try LeafImage(decoding: claiming(claim)) } }
  }
}
