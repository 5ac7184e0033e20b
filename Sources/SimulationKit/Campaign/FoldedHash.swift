/// One hash over the trace hashes of many tapes, in order.
public struct FoldedHash: Equatable, Sendable {
  private var high: UInt64 = 0x6A09_E667_F3BC_C908
  private var low: UInt64 = 0xBB67_AE85_84CA_A73B

  public init() {}

  /// Adds a tape's trace hash, or any other text.
  public mutating func add(_ text: String) {
    for byte in text.utf8 { low = (low ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    high = Payload.scramble(high ^ low)
    low = Payload.scramble(low &+ high)
  }

  /// 32 hexadecimal digits.
  public var text: String { FoldedHash.hexadecimal(high) + FoldedHash.hexadecimal(low) }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
