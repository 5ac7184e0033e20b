import Platform

/// The last group of a log that was found at opening: nothing says that it is durable. It may lie in the
/// system's cache alone, and a sync that failed may have left it there marked clean; so a new era begins
/// with a copy of it, at the same LSNs, and the old one counts up to where the copy begins.
///
/// A crash at any point leaves the old era as it was, and segments of an incarnation that no
/// superblock names.
struct RedoTail {
  /// Bytes that are written at once.
  private static let portion = 256 << 10

  let files: any FileSystem
  /// The last era of the superblock.
  let old: RedoEra
  /// The new one; it begins where the group does.
  let new: RedoEra
  /// Where the group ends.
  let end: UInt64

  /// Where the new era goes on: at a block, the rest of which a pad takes. Equal to `end` where that
  /// is a block already, or nothing is to be copied.
  var next: UInt64 {
    let block = UInt64(RedoFormat.blockBytes)
    var next = (end + block - 1) / block * block
    if next != end, next - end < UInt64(RedoFormat.headerBytes) { next += block }
    return next
  }

  /// Copies, and syncs what was copied.
  func copy(
    _ segments: [RedoSegmentInfo], to store: RedoSegmentStore, superblockSequence: UInt64
  ) throws(LugeError) {
    if end <= new.start { return }
    probe("recovery.tailCopied")
    let reader = try EraReader(files, segments, old, until: .max, from: new.start)
    defer { reader.close() }
    try store.prepare(from: new.start, to: next, superblockSequence: superblockSequence)
    let room = Int(min(UInt64(Self.portion), next - new.start)) + RedoFormat.blockBytes
    var copied = ByteWriter(capacity: room)
    var written = new.start
    var position = new.start
    while position < next {
      position += try copyPiece(at: position, reader, superblockSequence, to: &copied)
      if copied.count >= Self.portion || position == next {
        let blocks = copied.count / RedoFormat.blockBytes * RedoFormat.blockBytes
        try store.write(Array(copied.bytes[..<blocks]), at: written)
        written += UInt64(blocks)
        let rest = Array(copied.bytes[blocks...])
        copied.removeAll()
        copied.write(rest)
      }
    }
    try store.sync()
  }

  /// Answers the length of the piece.
  private func copyPiece(
    at position: UInt64, _ reader: EraReader, _ sequence: UInt64, to copied: inout ByteWriter
  ) throws(LugeError) -> UInt64 {
    let seed = RedoFormat.checksumSeed(incarnation: new.incarnation)
    if position == end {
      let pad = RedoFormat.pad(position, bytes: Int(next - end), seed: seed)
      copied.write(pad)
      return UInt64(pad.count)
    }
    if position == new.start {
      // Not read: recovery may begin behind it, and then nobody has seen whether it is good.
      let group = RedoGroup(
        incarnation: new.incarnation, durable: new.start, superblockSequence: sequence)
      copied.write(RedoFormat.group(position, group, seed: seed))
      return UInt64(RedoFormat.groupBytes)
    }
    guard let piece = unsafe try reader.piece(at: position) else {
      throw LugeError(
        .corruption, "the redo log read twice ends at two places", path: reader.path(at: position),
        offset: reader.offset(at: position), expected: "\(end)", found: "\(position)")
    }
    var bytes = unsafe [UInt8](piece.bytes)
    RedoFormat.seal(&bytes, seed: seed)
    copied.write(bytes)
    return UInt64(bytes.count)
  }
}

extension RedoFormat {
  /// A pad of so many bytes.
  fileprivate static func pad(_ lsn: UInt64, bytes: Int, seed: UInt32) -> [UInt8] {
    var writer = header(lsn, .pad, bytes: bytes, payload: 0)
    writer.writeZeros(bytes - writer.count)
    var pad = writer.bytes
    seal(&pad, seed: seed)
    return pad
  }

  /// The piece that a group begins with.
  fileprivate static func group(_ lsn: UInt64, _ group: RedoGroup, seed: UInt32) -> [UInt8] {
    var writer = header(lsn, .group, bytes: groupBytes, payload: groupPayloadBytes)
    writer.write(group.incarnation)
    writer.write(group.durable)
    writer.write(group.superblockSequence)
    var piece = writer.bytes
    seal(&piece, seed: seed)
    return piece
  }

  private static func header(
    _ lsn: UInt64, _ kind: RedoKind, bytes: Int, payload: Int
  ) -> ByteWriter {
    var writer = ByteWriter(capacity: bytes)
    writer.write(UInt32(bytes))
    writer.write(UInt32(0))
    writer.write(lsn)
    writer.write(kind.rawValue)
    writer.write(version)
    writer.write(UInt16(0))
    writer.write(UInt32(payload))
    return writer
  }

  /// Puts the checksum into a piece that has everything else.
  fileprivate static func seal(_ piece: inout [UInt8], seed: UInt32) {
    // Within the array, which this owns.
    unsafe piece.withUnsafeMutableBytes { bytes in
      let view = UnsafeRawBufferPointer(bytes)
      guard let header = unsafe RedoHeader(view) else { preconditionFailure("a piece has a header") }
      let sum = unsafe header.computedChecksum(view, seed: seed)
      unsafe bytes.storeBytes(of: sum.littleEndian, toByteOffset: 4, as: UInt32.self)
    }
  }
}
