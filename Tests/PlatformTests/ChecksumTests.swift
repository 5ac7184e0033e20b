import CPlatform
import Platform
import Testing

@Suite struct ChecksumTests {
  private func sum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
    unsafe crc32c(bytes.span.bytes, seed: seed)
  }

  private func both(_ bytes: [UInt8], seed: UInt32 = 0) -> (UInt32, UInt32) {
    let portable = unsafe bytes.withUnsafeBytes {
      unsafe platform_crc32c_portable(seed, $0.baseAddress, $0.count)
    }
    return (sum(bytes, seed: seed), portable)
  }

  /// RFC 3720, appendix B.4, and the usual check value.
  @Test func knownValues() {
    let cases: [([UInt8], UInt32)] = [
      ([], 0),
      (Array("123456789".utf8), 0xE306_9283),
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Array(0..<32), 0x46DD_794E),
      (Array((0..<32).reversed()), 0x113F_DB5C),
    ]
    for (bytes, sum) in cases { #expect(both(bytes) == (sum, sum)) }
  }

  /// Every length around the block sizes of the hardware version, at every alignment.
  @Test func hardwareAgreesWithTables() {
    var generator = TestGenerator(seed: 1)
    let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    for length in 0..<600 {
      let start = length % 9
      let (fast, portable) = both(Array(bytes[start..<start + length]), seed: UInt32(length))
      #expect(fast == portable, "length \(length)")
    }
    for _ in 0..<2_000 {
      let start = Int.random(in: 0..<64, using: &generator)
      let length = Int.random(in: 0..<19_000, using: &generator)
      let seed = UInt32.random(in: 0...UInt32.max, using: &generator)
      let slice = bytes.span.extracting(start..<start + length)
      let fast = unsafe crc32c(slice.bytes, seed: seed)
      let portable = unsafe slice.bytes.withUnsafeBytes {
        unsafe platform_crc32c_portable(seed, $0.baseAddress, $0.count)
      }
      #expect(fast == portable, "start \(start), length \(length)")
    }
  }

  /// What a record's own sum is made of: everything but the place of the sum.
  @Test func aroundItself() {
    let bytes = Array((0..<500).map { UInt8(truncatingIfNeeded: $0 &* 13) })
    for length in 8..<400 {
      let expected = sum(Array(bytes[8..<length]), seed: sum(Array(bytes[..<4]), seed: 5))
      let found = unsafe bytes.withUnsafeBytes {
        unsafe crc32cAroundItself($0.baseAddress.unsafelyUnwrapped, count: length, seed: 5)
      }
      #expect(found == expected, "length \(length)")
    }
  }

  @Test func piecesAddUp() {
    let bytes = Array((0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let whole = sum(bytes)
    for cut in [0, 1, 7, 240, 4_080, 9_999] {
      let first = sum(Array(bytes[..<cut]))
      #expect(sum(Array(bytes[cut...]), seed: first) == whole)
    }
  }

  @Test func aFlippedBitIsSeen() {
    var bytes = [UInt8](repeating: 0x5A, count: 4_200)
    let whole = sum(bytes)
    for place in stride(from: 0, to: 4_200, by: 37) {
      bytes[place] ^= 0x10
      #expect(sum(bytes) != whole)
      bytes[place] ^= 0x10
    }
  }
}

@Suite struct Hash128Tests {
  /// The hash is part of saved results: it must never change.
  @Test func isFixed() {
    var hash = Hash128()
    hash.combine(1 as UInt64)
    hash.combine("luge")
    hash.combine([UInt8](0..<20))
    #expect(hash.description == "2b4ab2055f7e70a233781de256a72e68")
  }

  @Test func orderLengthAndPaddingCount() {
    func hash(_ pieces: [UInt8]...) -> Hash128 {
      var hash = Hash128()
      for piece in pieces { hash.combine(piece) }
      return hash
    }
    let all = [
      hash([1], [2]), hash([2], [1]), hash([1, 2]), hash([1, 2], []), hash([], [1, 2]),
      hash([1, 2, 0]), hash([0, 1, 2]), hash(), hash([]), hash([0]), hash([0, 0]),
      hash([UInt8](repeating: 0, count: 8)), hash([UInt8](repeating: 0, count: 16)),
    ]
    #expect(Set(all).count == all.count)
  }

  @Test func manyShortStringsDoNotCollide() {
    var seen: Set<Hash128> = []
    for number in 0..<20_000 {
      var hash = Hash128()
      hash.combine(UInt64(number))
      seen.insert(hash)
    }
    #expect(seen.count == 20_000)
    #expect(Set(seen.map(\.low)).count == 20_000 && Set(seen.map(\.high)).count == 20_000)
  }
}

@Suite struct CompareBytesTests {
  @Test func isTheOrderOfByteStrings() {
    let strings: [[UInt8]] = [
      [], [0], [0, 0], [0, 1], [1], [127], [128], [128, 0], [255], [255, 255],
    ]
    for (i, left) in strings.enumerated() {
      for (j, right) in strings.enumerated() {
        let order = unsafe compareBytes(left.span.bytes, right.span.bytes)
        #expect(order.signum() == (i - j).signum())
      }
    }
  }
}
