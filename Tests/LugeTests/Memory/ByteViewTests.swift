import Testing

@testable import Luge

@Suite struct ByteViewTests {
  /// Order and equality are those of the bytes, whatever the lengths and wherever they differ.
  @Test func comparesAsBytes() {
    var random = TestRandom(3)
    for _ in 0..<20_000 {
      let length = random.below(3) == 0 ? random.below(80) : random.below(20)
      var left = (0..<length).map { _ in UInt8(random.below(2) * 255) }
      var right = left
      if random.below(3) > 0, length > 0 { right[random.below(length)] = UInt8(random.below(256)) }
      if random.below(4) == 0 { right.removeLast(min(right.count, random.below(3))) }
      if random.below(4) == 0 { left.append(UInt8(random.below(256))) }
      let order = Self.order(left, right)
      unsafe left.withUnsafeBytes { a in
        unsafe right.withUnsafeBytes { b in
          let (a, b) = unsafe (ByteView(a), ByteView(b))
          #expect(ByteView.compare(a, b).signum() == order, "\(left) \(right)")
          #expect((a == b) == (order == 0), "\(left) \(right)")
        }
      }
    }
  }

  private static func order(_ left: [UInt8], _ right: [UInt8]) -> Int {
    for (a, b) in zip(left, right) where a != b { return a < b ? -1 : 1 }
    return (left.count - right.count).signum()
  }
}
