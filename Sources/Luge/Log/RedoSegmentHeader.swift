import Platform

/// The first block of a redo segment file says which part of the stream the file holds.
///
/// Copies lie at 0 and 2048, hence in different sectors; the rest of the block is zero. All integers
/// are little-endian.
///
///     OFFSET SIZE DESCRIPTION
///          0    8 magic: "LugeRedo"
///          8    4 format version, 1
///         12    4 CRC-32C of bytes 0 to 11 and 16 to 63
///         16    8 serial, the number in the file's name
///         24    8 incarnation; 0: a spare that holds nothing
///         32    8 base: the LSN of the byte at offset 4096 of the file
///         40    8 bytes of the stream in this file: its size less 4096
///         48    8 sequence of the newest superblock known durable when this was written
///         56    8 zero
struct RedoSegmentHeader: Equatable, Sendable {
  static let magic: UInt64 = 0x6F64_6552_6567_754C
  static let version: UInt32 = 1
  static let bytes = 64
  static let copyOffsets = [0, 2048]
  static let blockBytes = 4096

  var serial: UInt64
  var incarnation: UInt64
  var base: UInt64
  var payloadBytes: UInt64
  var superblockSequence: UInt64

  /// The length of the file. What cannot be is cut to what no file has.
  var fileBytes: Int64 {
    Int64(min(payloadBytes, 1 << 41)) + Int64(RedoSegmentHeader.blockBytes)
  }

  /// One copy: 64 bytes.
  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: Self.bytes)
    writer.write(Self.magic)
    writer.write(Self.version)
    writer.write(UInt32(0))
    writer.write(serial)
    writer.write(incarnation)
    writer.write(base)
    writer.write(payloadBytes)
    writer.write(superblockSequence)
    writer.write(UInt64(0))
    writer.patch(Self.checksum(writer.bytes), at: 12)
    return writer.bytes
  }

  /// Whether this copy was written after the other one of the same file. LSNs grow within an incarnation only: a
  /// later one begins below what an earlier one reserved and never made durable.
  func replaces(_ other: RedoSegmentHeader) -> Bool {
    incarnation != other.incarnation ? incarnation > other.incarnation : base >= other.base
  }

  enum Copy: Equatable {
    case valid(RedoSegmentHeader)
    /// A good checksum and a version that this engine does not know.
    case newer(version: UInt32)
    case bad
  }

  /// Decodes 64 bytes.
  static func decode(_ bytes: [UInt8]) -> Copy {
    guard bytes.count == Self.bytes else { return .bad }
    // The reader does not outlive the array's buffer.
    return unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard let magic = unsafe reader.readUInt64(), magic == Self.magic,
        let version = unsafe reader.readUInt32(), let sum = unsafe reader.readUInt32(),
        sum == checksum(bytes)
      else { return .bad }
      if version > Self.version { return .newer(version: version) }
      guard version == Self.version, let serial = unsafe reader.readUInt64(),
        let incarnation = unsafe reader.readUInt64(), let base = unsafe reader.readUInt64(),
        let payload = unsafe reader.readUInt64(), let sequence = unsafe reader.readUInt64()
      else { return .bad }
      return .valid(
        RedoSegmentHeader(
          serial: serial, incarnation: incarnation, base: base, payloadBytes: payload,
          superblockSequence: sequence))
    }
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    // Within the array, which this borrows.
    let span = unsafe bytes.span.bytes
    let first = crc32c(span.extracting(0..<12))
    return crc32c(span.extracting(16..<Self.bytes), seed: first)
  }
}
