/// Appends fixed-width and variable-width integers and bytes to a growable buffer.
///
/// All fixed-width integers are little-endian. A varint has seven bits a byte, lowest first, the
/// high bit set on all but the last byte; at most ten bytes.
struct ByteWriter: Sendable {
  private(set) var bytes: [UInt8]

  init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  var count: Int { bytes.count }

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  mutating func write(_ value: UInt8) { bytes.append(value) }

  mutating func write(_ value: UInt16) { writeLittleEndian(UInt64(value), count: 2) }

  mutating func write(_ value: UInt32) { writeLittleEndian(UInt64(value), count: 4) }

  mutating func write(_ value: UInt64) { writeLittleEndian(value, count: 8) }

  mutating func writeVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func write(_ source: [UInt8]) { bytes.append(contentsOf: source) }

  mutating func write(_ source: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: source) }

  /// A length as varint, then the bytes.
  mutating func writeCounted(_ source: [UInt8]) {
    writeVarint(UInt64(source.count))
    bytes.append(contentsOf: source)
  }

  /// A length as varint, then the bytes.
  mutating func writeCounted(_ source: UnsafeRawBufferPointer) {
    writeVarint(UInt64(source.count))
    unsafe bytes.append(contentsOf: source)
  }

  mutating func writeZeros(_ count: Int) {
    // An array and not a repeated element: one copy, in debug builds too.
    bytes.append(contentsOf: [UInt8](repeating: 0, count: count))
  }

  /// Overwrites four bytes written before; used for checksums.
  mutating func patch(_ value: UInt32, at offset: Int) {
    precondition(offset >= 0 && offset + 4 <= bytes.count, "patch outside what was written")
    var index = 0
    while index < 4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
      index += 1
    }
  }

  private mutating func writeLittleEndian(_ value: UInt64, count: Int) {
    // The value's own bytes, lent for the call.
    unsafe withUnsafeBytes(of: value.littleEndian) { source in
      unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[..<count]))
    }
  }
}

/// The number of bytes of a varint.
@inline(__always)
func varintSize(_ value: UInt64) -> Int {
  // Nearly all: cheaper than to count bits.
  if value < 0x80 { return 1 }
  let bits = 64 - (value | 1).leadingZeroBitCount
  return (bits &+ 6) / 7
}
