import Platform

/// The root of a database: where recovery begins.
///
/// One copy takes 2048 bytes. All integers are little-endian; offsets not named are zero.
///
///     OFFSET SIZE DESCRIPTION
///          0    8 magic: "LugeRoot"
///          8    4 CRC-32C of bytes 0 to 7 and 12 to 2047
///         12    4 format version, 1
///         16    8 sequence: 1 for the first superblock, one more for each
///         24    8 redo: bytes of the stream in one redo segment (fixed at creation)
///         32    8 page: bytes of one page segment file (fixed at creation)
///         40    8 page: size in bytes that a leaf's image aims at (fixed at creation)
///         48    8 R: recovery replays the redo stream from this LSN
///         56    8 all of the redo stream below this LSN, which is a multiple of 4096, was durable
///         64    8 number of eras of the redo stream that are named below, 1 to 4
///         72    8 root of the list of chunks: its address; 0: there is none, the database is empty
///         80    8 root of the list of chunks: bytes of its payload
///         88    8 segment table: its address; 0: there is none
///         96    8 segment table: bytes of its payload
///        104    8 page segments from this serial on may be made
///        112    8 monotonic ids below this are taken
///        120    8 tree ids from this one on are free
///        128    8 flags: bit 0: written by a close, so nothing is to be replayed, and the segment table is exact
///        136    8 value: bytes of one value segment file (fixed at creation)
///        144    8 value segments from this serial on may be made
///        152    8 table of live bytes of value segments: its address; 0: there is none
///        160    8 table of live bytes of value segments: bytes of its payload
///        168   16 for each era, in order: its incarnation, and the LSN where it begins
///
/// The layout of bytes 0 to 15 and what the checksum covers hold for every version, so that an older
/// engine knows a newer database when it sees one.
struct Superblock: Equatable, Sendable {
  static let magic: UInt64 = 0x746F_6F52_6567_754C
  static let version: UInt32 = 1
  static let copyBytes = 2048

  var sequence: UInt64 = 0
  var redoSegmentPayload: UInt64 = 0
  var pageSegmentBytes: UInt64 = 0
  var pageTargetBytes: UInt64 = 0
  /// R: recovery replays the redo stream from this LSN.
  var recoveryLSN: UInt64 = 0
  /// All of the redo stream below this LSN was durable.
  var durableLSN: UInt64 = 0
  /// Where which incarnation of the redo stream is to be read, in order: each era up to where the
  /// next one begins, the last one to its end. All that lies before the last one is durable.
  var eras: [RedoEra] = []
  /// Address of the root of the list of chunks; 0: none.
  var directoryAddress: UInt64 = 0
  var directoryBytes: UInt64 = 0
  /// Address of the table of live bytes by segment, without the root and the table themselves; 0:
  /// none.
  var tableAddress: UInt64 = 0
  var tableBytes: UInt64 = 0
  var nextPageSerial: UInt64 = 1
  var idsReserved: UInt64 = 0
  var nextTreeID: UInt64 = 0
  var wasClosed = false
  var valueSegmentBytes: UInt64 = 0
  var nextValueSerial: UInt64 = 1
  var valueTableAddress: UInt64 = 0
  var valueTableBytes: UInt64 = 0

  /// More than that, and an opening joins them by a checkpoint.
  static let mostEras = 4

  init() {}

  enum Copy: Equatable {
    case valid(Superblock)
    /// A good checksum and a version that this engine does not know.
    case newer(version: UInt32)
    /// The magic is there, the checksum is wrong.
    case damaged
    /// No magic.
    case foreign
  }

  /// One copy: 2048 bytes.
  func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: Self.copyBytes)
    writer.write(Self.magic)
    writer.write(UInt32(0))
    writer.write(Self.version)
    writer.write(sequence)
    writer.write(redoSegmentPayload)
    writer.write(pageSegmentBytes)
    writer.write(pageTargetBytes)
    writer.write(recoveryLSN)
    writer.write(durableLSN)
    writer.write(UInt64(eras.count))
    writer.write(directoryAddress)
    writer.write(directoryBytes)
    writer.write(tableAddress)
    writer.write(tableBytes)
    writer.write(nextPageSerial)
    writer.write(idsReserved)
    writer.write(nextTreeID)
    writer.write(UInt64(wasClosed ? 1 : 0))
    writer.write(valueSegmentBytes)
    writer.write(nextValueSerial)
    writer.write(valueTableAddress)
    writer.write(valueTableBytes)
    for era in eras {
      writer.write(era.incarnation)
      writer.write(era.start)
    }
    writer.writeZeros(Self.copyBytes - writer.count)
    writer.patch(Self.checksum(writer.bytes), at: 8)
    return writer.bytes
  }

  /// Decodes 2048 bytes.
  static func decode(_ bytes: [UInt8]) -> Copy {
    guard bytes.count == copyBytes else { return .foreign }
    // The reader does not outlive the array's buffer.
    return unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard let magic = unsafe reader.readUInt64(), magic == Self.magic else { return .foreign }
      guard let sum = unsafe reader.readUInt32(), sum == checksum(bytes),
        let version = unsafe reader.readUInt32()
      else { return .damaged }
      if version > Self.version { return .newer(version: version) }
      guard version == Self.version, let block = unsafe fields(&reader) else { return .damaged }
      return .valid(block)
    }
  }

  private static func fields(_ reader: inout ByteReader) -> Superblock? {
    var block = Superblock()
    guard let sequence = unsafe reader.readUInt64(), let redo = unsafe reader.readUInt64(),
      let page = unsafe reader.readUInt64(), let target = unsafe reader.readUInt64(),
      let recovery = unsafe reader.readUInt64(), let durable = unsafe reader.readUInt64(),
      let eras = unsafe reader.readUInt64(), let address = unsafe reader.readUInt64(),
      let directoryBytes = unsafe reader.readUInt64(), let table = unsafe reader.readUInt64(),
      let tableBytes = unsafe reader.readUInt64(),
      let serial = unsafe reader.readUInt64(), let ids = unsafe reader.readUInt64(),
      let tree = unsafe reader.readUInt64(), let flags = unsafe reader.readUInt64(),
      let value = unsafe reader.readUInt64(), let valueSerial = unsafe reader.readUInt64(),
      let valueTable = unsafe reader.readUInt64(), let valueTableBytes = unsafe reader.readUInt64()
    else { return nil }
    block.sequence = sequence
    block.redoSegmentPayload = redo
    block.pageSegmentBytes = page
    block.pageTargetBytes = target
    block.recoveryLSN = recovery
    block.durableLSN = durable
    block.directoryAddress = address
    block.directoryBytes = directoryBytes
    block.tableAddress = table
    block.tableBytes = tableBytes
    block.nextPageSerial = serial
    block.idsReserved = ids
    block.nextTreeID = tree
    block.wasClosed = flags & 1 != 0
    block.valueSegmentBytes = value
    block.nextValueSerial = valueSerial
    block.valueTableAddress = valueTable
    block.valueTableBytes = valueTableBytes
    guard eras <= mostEras else { return nil }
    while block.eras.count < Int(eras) {
      guard let incarnation = unsafe reader.readUInt64(), let start = unsafe reader.readUInt64()
      else { return nil }
      block.eras.append(RedoEra(incarnation: incarnation, start: start))
    }
    return block
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    // Within the array, which this borrows.
    let span = unsafe bytes.span.bytes
    return crc32c(span.extracting(12..<copyBytes), seed: crc32c(span.extracting(0..<8)))
  }
}
