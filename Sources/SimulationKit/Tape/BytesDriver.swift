/// Answers from bytes, as a fuzzer gives them. A draw takes as few bytes as hold its bound (1, 2, 4
/// or 8, little-endian), modulo the bound; when the bytes have run out the answer is 0.
public final class BytesDriver: ChoiceDriver {
  private let bytes: [UInt8]
  private var position = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// True when every byte has been used.
  public var isExhausted: Bool { position >= bytes.count }

  public func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    let highest = bound - 1
    let width: Int
    if highest <= 0xFF {
      width = 1
    } else if highest <= 0xFFFF {
      width = 2
    } else if highest <= 0xFFFF_FFFF {
      width = 4
    } else {
      width = 8
    }
    var value: UInt64 = 0
    var index = 0
    while index < width, position < bytes.count {
      value |= UInt64(bytes[position]) &<< UInt64(8 * index)
      position += 1
      index += 1
    }
    return value % bound
  }
}
