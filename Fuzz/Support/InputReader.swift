/// Takes an input apart from its beginning. What is not there any more is zero.
struct InputReader {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

  mutating func byte() -> UInt8 {
    if position >= bytes.count { return 0 }
    position += 1
    return bytes[position - 1]
  }

  mutating func flag() -> Bool { byte() & 1 == 1 }

  /// Little-endian.
  mutating func number(bytes count: Int) -> UInt64 {
    var value: UInt64 = 0
    var index = 0
    while index < count {
      value |= UInt64(byte()) << UInt64(8 * index)
      index += 1
    }
    return value
  }

  /// In `0..<bound`, from one byte or two.
  mutating func below(_ bound: Int) -> Int {
    Int(number(bytes: bound <= 256 ? 1 : 2)) % max(1, bound)
  }

  /// Up to `count` bytes: fewer only where the input ends.
  mutating func take(_ count: Int) -> [UInt8] {
    let end = min(bytes.count, position + max(0, count))
    defer { position = end }
    return Array(bytes[position..<end])
  }

  /// A length byte, then up to so many bytes.
  mutating func counted(most: Int = 255) -> [UInt8] { take(min(most, Int(byte()))) }

  /// All that is left.
  mutating func rest() -> [UInt8] { take(remaining) }
}

/// The other way.
struct InputWriter {
  private(set) var bytes: [UInt8] = []

  init() {}

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func number(_ value: UInt64, bytes count: Int) {
    var index = 0
    while index < count {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
      index += 1
    }
  }

  mutating func counted(_ source: [UInt8]) {
    let part = source.prefix(255)
    bytes.append(UInt8(part.count))
    bytes += part
  }

  mutating func append(_ source: [UInt8]) { bytes += source }
}
