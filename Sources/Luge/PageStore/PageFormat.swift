import Platform

/// What a record of a page segment is.
enum PageKind: UInt8, Sendable {
  /// An image of a leaf, whole or a fragment.
  case leaf = 1
  /// A part of the list of chunks.
  case directory = 2
  /// An image of a chunk: what it names is leaves.
  case chunk = 3
  /// The live bytes of all segments.
  case segmentTable = 4
  /// A large value. In value segments only, as the next.
  case value = 5
  /// The payload of a commit that is too large for the redo ring.
  case commit = 6
}

/// The two runs of segment files that a page store may be made over.
enum SegmentFamily: Sendable {
  case pages
  case values

  var prefix: String { self == .pages ? "page-" : "value-" }
  /// "LugePage", "LugeValu".
  var magic: UInt64 { self == .pages ? 0x6567_6150_6567_754C : 0x756C_6156_6567_754C }
  /// For messages.
  var name: String { self == .pages ? "page" : "value" }
}

/// The records of page segments and value segments. All integers are little-endian; a record begins at a multiple of 8.
///
///     OFFSET SIZE DESCRIPTION
///          0    1 kind: 1 leaf, 2 directory, 3 chunk, 4 segment table, 5 value, 6 commit
///          1    1 format version, 1
///          2    2 zero
///          4    4 length of the payload in bytes
///          8    4 CRC-32C of bytes 0 to 7 and 12 to the end of the payload
///         12    4 zero
///         16    8 its own address: serial << 32 | offset
///         24    n payload
///       24+n    p zeros up to a multiple of 8
///
/// Payload of a value: 8 bytes tree id, varint length of the key, the key, the value. Payload of a
/// commit: `RedoPayload`.
///
/// The first block of a segment file, copies at 0 and 2048, else zero:
///
///          0    8 magic: "LugePage", or "LugeValu" of a value segment
///          8    4 format version, 1
///         12    4 CRC-32C of bytes 0 to 11 and 16 to 31
///         16    8 serial, the number in the file's name
///         24    8 zero
enum PageFormat {
  static let version: UInt8 = 1
  static let segmentVersion: UInt32 = 1
  static let blockBytes = 4096
  static let copyOffsets = [0, 2048]
  static let segmentHeaderBytes = 32
  static let recordHeaderBytes = 24

  /// The bytes that a record takes in its segment.
  static func recordBytes(payload: Int) -> Int { (recordHeaderBytes + payload + 7) & ~7 }

  static func segmentHeader(_ family: SegmentFamily, serial: UInt64) -> [UInt8] {
    var writer = ByteWriter(capacity: blockBytes)
    for offset in copyOffsets {
      writer.writeZeros(offset - writer.count)
      writer.write(family.magic)
      writer.write(segmentVersion)
      writer.write(UInt32(0))
      writer.write(serial)
      writer.write(UInt64(0))
      let copy = Array(writer.bytes[offset..<offset + segmentHeaderBytes])
      writer.patch(segmentChecksum(copy), at: offset + 12)
    }
    writer.writeZeros(blockBytes - writer.count)
    return writer.bytes
  }

  enum SegmentCopy: Equatable {
    case valid(serial: UInt64)
    case newer(version: UInt32)
    case bad
  }

  static func decodeSegmentHeader(_ bytes: [UInt8], _ family: SegmentFamily) -> SegmentCopy {
    guard bytes.count == segmentHeaderBytes else { return .bad }
    // The reader does not outlive the array's buffer.
    return unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard let magic = unsafe reader.readUInt64(), magic == family.magic,
        let version = unsafe reader.readUInt32(), let sum = unsafe reader.readUInt32(),
        sum == segmentChecksum(bytes)
      else { return .bad }
      if version > segmentVersion { return .newer(version: version) }
      guard version == segmentVersion, let serial = unsafe reader.readUInt64() else { return .bad }
      return .valid(serial: serial)
    }
  }

  private static func segmentChecksum(_ bytes: [UInt8]) -> UInt32 {
    // Within the array, which this borrows.
    let span = unsafe bytes.span.bytes
    return crc32c(
      span.extracting(16..<segmentHeaderBytes), seed: crc32c(span.extracting(0..<12)))
  }

  /// Appends a whole record to a buffer. Its payload is `head`, then `body`.
  static func append(
    _ kind: PageKind, _ head: [UInt8], _ body: UnsafeRawBufferPointer, at address: PageAddress,
    to writer: inout ByteWriter
  ) {
    let start = writer.count
    let count = head.count + body.count
    writeHeader(kind, payload: count, at: address, to: &writer)
    writer.write(head)
    // Lent for the length of this call; the writer copies it.
    unsafe writer.write(body)
    let sum = recordChecksum(writer.bytes, from: start, payload: count)
    writer.patch(sum, at: start + 8)
    writer.writeZeros(recordBytes(payload: count) - (writer.count - start))
  }

  private static func writeHeader(
    _ kind: PageKind, payload: Int, at address: PageAddress, to writer: inout ByteWriter
  ) {
    writer.write(kind.rawValue)
    writer.write(version)
    writer.write(UInt16(0))
    writer.write(UInt32(payload))
    writer.write(UInt32(0))
    writer.write(UInt32(0))
    writer.write(address.rawValue)
  }

  /// What stands before the body of a record: its header, and the head of its payload. For a body that
  /// is written from where it lies.
  static func front(
    _ kind: PageKind, _ head: [UInt8], _ body: UnsafeRawBufferPointer, at address: PageAddress
  ) -> [UInt8] {
    var writer = ByteWriter(capacity: recordHeaderBytes + head.count)
    writeHeader(kind, payload: head.count + body.count, at: address, to: &writer)
    writer.write(head)
    let sum = recordChecksum(writer.bytes, from: 0, payload: head.count)
    // Lent for the length of this call.
    writer.patch(unsafe crc32c(body, seed: sum), at: 8)
    return writer.bytes
  }

  static func recordChecksum(_ bytes: [UInt8], from start: Int, payload: Int) -> UInt32 {
    // Within the array, which this borrows.
    let span = unsafe bytes.span.bytes
    let first = crc32c(span.extracting(start..<start + 8))
    return crc32c(span.extracting(start + 12..<start + recordHeaderBytes + payload), seed: first)
  }

  /// The checksum of a record up to where the beginning that is lent ends; at least its header.
  static func checksum(front: UnsafeRawBufferPointer) -> UInt32 {
    // Lent for the length of this call.
    let first = unsafe crc32c(UnsafeRawBufferPointer(rebasing: front[..<8]))
    return unsafe crc32c(UnsafeRawBufferPointer(rebasing: front[12...]), seed: first)
  }

  /// The checksum that a record's header holds.
  static func storedChecksum(_ front: UnsafeRawBufferPointer) -> UInt32 {
    // Lent for the length of this call, and longer than a header.
    unsafe UInt32(littleEndian: front.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
  }

  /// The first 24 bytes of a record, not believed.
  struct RecordHeader {
    var kind: UInt8
    var version: UInt8
    var length: UInt32
    var checksum: UInt32
    var address: UInt64

    init?(_ bytes: [UInt8]) {
      // The reader does not outlive the array's buffer.
      let decoded = unsafe bytes.withUnsafeBytes { buffer -> RecordHeader? in
        var reader = unsafe ByteReader(buffer)
        guard let kind = unsafe reader.readUInt8(), let version = unsafe reader.readUInt8(),
          unsafe reader.readUInt16() != nil, let length = unsafe reader.readUInt32(),
          let checksum = unsafe reader.readUInt32(), unsafe reader.readUInt32() != nil,
          let address = unsafe reader.readUInt64()
        else { return nil }
        return RecordHeader(
          kind: kind, version: version, length: length, checksum: checksum, address: address)
      }
      guard let decoded else { return nil }
      self = decoded
    }

    private init(kind: UInt8, version: UInt8, length: UInt32, checksum: UInt32, address: UInt64) {
      self.kind = kind
      self.version = version
      self.length = length
      self.checksum = checksum
      self.address = address
    }
  }
}
