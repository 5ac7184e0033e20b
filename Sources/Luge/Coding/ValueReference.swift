/// Where bytes lie that are kept apart, in a value segment: a large value, or the payload of a large
/// commit. What a leaf image and a redo piece hold in place of them.
///
///     OFFSET SIZE DESCRIPTION
///          0    8 address of the record in its value segment: serial << 32 | offset
///          8    4 length of the value, or payload, in bytes
///         12    4 CRC-32C of these bytes alone
///
/// All integers are little-endian. The checksum is of the bytes and not of their place, so it is the
/// same wherever the cleaner moves them; who reads them needs no header to know that they are right.
struct ValueReference: Equatable, Sendable {
  static let bytes = 16
  /// No value is longer, and no commit.
  static let longest: UInt32 = 1 << 30

  var address: UInt64
  var length: UInt32
  var checksum: UInt32

  init(address: UInt64, length: UInt32, checksum: UInt32) {
    self.address = address
    self.length = length
    self.checksum = checksum
  }

  /// Nil for bytes that are no reference. Never traps.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = unsafe ByteReader(bytes)
    guard let address = unsafe reader.readUInt64(), address != 0, address % 8 == 0,
      let length = unsafe reader.readUInt32(), length <= ValueReference.longest,
      let checksum = unsafe reader.readUInt32(), unsafe reader.isAtEnd
    else { return nil }
    self.init(address: address, length: length, checksum: checksum)
  }

  func encode(into writer: inout RawWriter) {
    unsafe writer.write(address)
    unsafe writer.write(length)
    unsafe writer.write(checksum)
  }

  /// Calls `body` with the encoded bytes, for the length of the call.
  @inline(__always)
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    // Sixteen bytes on the stack, all of them written before they are lent.
    unsafe withUnsafeTemporaryAllocation(byteCount: ValueReference.bytes, alignment: 8) { memory in
      var writer = unsafe RawWriter(memory)
      unsafe encode(into: &writer)
      return unsafe body(UnsafeRawBufferPointer(memory))
    }
  }
}
