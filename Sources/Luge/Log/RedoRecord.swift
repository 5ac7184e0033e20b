import Platform

/// The pieces of the redo stream.
///
/// A piece is what one reservation fills. Its position in the stream is its LSN. All integers are
/// little-endian; a piece begins and ends at a multiple of 8 bytes.
///
///     OFFSET SIZE DESCRIPTION
///          0    4 length of the whole piece in bytes, a multiple of 8
///          4    4 CRC-32C, see below
///          8    8 LSN: the position of this piece in the stream
///         16    1 kind: 1 pad, 2 group, 3 commit, 4 identifiers, 5 commit apart
///         17    1 format version, 1
///         18    2 reserved, zero
///         20    4 length of the payload in bytes
///         24    n payload
///       24+n    p zeros up to the length of the piece; fewer than 8 bytes, but for a pad
///
/// The checksum covers, in this order: the incarnation of the log (8 bytes, not stored here), bytes
/// 0 to 3, and bytes 8 to the end; of a pad only bytes 8 to 23, because nobody reads its body. A
/// piece is accepted only where its LSN is its position and under the incarnation of its segment;
/// so neither a recycled segment's old piece nor one of an earlier incarnation is ever accepted.
///
/// Payload of a group, which opens the blocks that one flush wrote, always at a multiple of 4096:
///
///          0    8 incarnation
///          8    8 all below this LSN was durable when the group was written
///         16    8 the superblock with this sequence was durable when the group was written
///
/// Payload of a commit: `RedoPayload`. Payload of identifiers: 8 bytes, all ids below are taken.
/// Payload of a commit apart: a `ValueReference`; what it names is the payload of a commit.
enum RedoFormat {
  static let version: UInt8 = 1
  static let headerBytes = 24
  static let groupPayloadBytes = 24
  /// The room that a flush reserves for the next group's header.
  static let groupBytes = 48
  /// A synced block is never written again; every group begins at a block.
  static let blockBytes = 4096
  /// No stream begins at zero, so no commit has version 0.
  static let firstLSN: UInt64 = 4096

  /// The bytes to reserve for a payload.
  @inline(__always)
  static func pieceBytes(payload: Int) -> Int { (headerBytes + payload + 7) & ~7 }

  /// Where a new incarnation begins after a log that ended at `end`: at a block that the old one
  /// did not touch, and above every LSN that it can have handed out to an image on disk.
  static func startLSN(afterEnd end: UInt64) -> UInt64 {
    (end / UInt64(blockBytes) + 1) * UInt64(blockBytes)
  }

  /// What every piece's checksum of an incarnation begins with.
  static func checksumSeed(incarnation: UInt64) -> UInt32 {
    var value = incarnation.littleEndian
    // Reads the eight bytes of a local.
    return unsafe withUnsafeBytes(of: &value) { unsafe crc32c($0) }
  }
}

enum RedoKind: UInt8, Sendable {
  case pad = 1
  case group = 2
  case commit = 3
  case identifiers = 4
  /// A commit too large for the ring: its payload lies in a value segment.
  case commitApart = 5
}

/// The first 24 bytes of a piece, decoded but not believed: only `RedoScan` and the checksum say
/// whether it is a piece.
struct RedoHeader: Equatable {
  var length: UInt32
  var checksum: UInt32
  var lsn: UInt64
  var kind: UInt8
  var version: UInt8
  var reserved: UInt16
  var payloadLength: UInt32

  /// Nil when fewer than 24 bytes are there.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = unsafe ByteReader(bytes)
    guard let length = unsafe reader.readUInt32(), let checksum = unsafe reader.readUInt32(),
      let lsn = unsafe reader.readUInt64(), let kind = unsafe reader.readUInt8(),
      let version = unsafe reader.readUInt8(), let reserved = unsafe reader.readUInt16(),
      let payloadLength = unsafe reader.readUInt32()
    else { return nil }
    self.length = length
    self.checksum = checksum
    self.lsn = lsn
    self.kind = kind
    self.version = version
    self.reserved = reserved
    self.payloadLength = payloadLength
  }

  /// The lengths agree with each other and with the alignment.
  var isWellFormed: Bool {
    let header = UInt64(RedoFormat.headerBytes)
    guard length % 8 == 0, UInt64(length) >= header,
      UInt64(payloadLength) + header <= UInt64(length)
    else { return false }
    return kind == RedoKind.pad.rawValue || UInt64(length) - header - UInt64(payloadLength) < 8
  }

  /// The checksum of a whole piece, which must be at least `length` bytes.
  func computedChecksum(_ piece: UnsafeRawBufferPointer, seed: UInt32) -> UInt32 {
    let end = kind == RedoKind.pad.rawValue ? RedoFormat.headerBytes : Int(length)
    // The caller has checked that `length` bytes are there.
    let lengthField = unsafe UnsafeRawBufferPointer(rebasing: piece[0..<4])
    let rest = unsafe UnsafeRawBufferPointer(rebasing: piece[8..<end])
    return unsafe crc32c(rest, seed: crc32c(lengthField, seed: seed))
  }
}

/// What a group's header says.
struct RedoGroup: Equatable, Sendable {
  var incarnation: UInt64
  /// All below this LSN was durable when the group was written.
  var durable: UInt64
  var superblockSequence: UInt64

  init(incarnation: UInt64, durable: UInt64, superblockSequence: UInt64) {
    self.incarnation = incarnation
    self.durable = durable
    self.superblockSequence = superblockSequence
  }

  init?(payload: UnsafeRawBufferPointer) {
    var reader = unsafe ByteReader(payload)
    guard let incarnation = unsafe reader.readUInt64(), let durable = unsafe reader.readUInt64(),
      let sequence = unsafe reader.readUInt64(), unsafe reader.isAtEnd
    else { return nil }
    self.init(incarnation: incarnation, durable: durable, superblockSequence: sequence)
  }

  func encode(into memory: UnsafeMutableRawBufferPointer) {
    var writer = unsafe RawWriter(memory)
    unsafe writer.write(incarnation)
    unsafe writer.write(durable)
    unsafe writer.write(superblockSequence)
  }
}
