import Platform

/// The pieces of one era of the redo stream, wherever its segments are.
///
/// Safe: what it lends is good until the next read, and it keeps nothing of it.
struct EraReader {
  let era: RedoEra
  private let reader: RedoReader
  private let seed: UInt32

  /// One piece whose checksum is good. `bytes` are good until the next read.
  @unsafe
  struct Piece {
    var header: RedoHeader
    var bytes: UnsafeRawBufferPointer

    /// Of a well-formed piece: lies within it.
    var payload: UnsafeRawBufferPointer {
      let start = RedoFormat.headerBytes
      let end = unsafe start + Int(header.payloadLength)
      return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }
  }

  /// Over those of `segments` that the era wrote, as far as it goes. Throws `.corruption` where two of
  /// them claim the same part of it, above `from`.
  init(
    _ files: any FileSystem, _ segments: [RedoSegmentInfo], _ era: RedoEra, until end: UInt64,
    from: UInt64
  ) throws(LugeError) {
    self.era = era
    seed = RedoFormat.checksumSeed(incarnation: era.incarnation)
    var parts: [RedoReader.Part] = []
    for info in segments {
      let header = info.header
      guard header.incarnation == era.incarnation,
        header.payloadBytes <= 1 << 40, header.base <= UInt64.max - (1 << 41), header.base < end
      else { continue }
      let inFile = info.size - Int64(RedoSegmentHeader.blockBytes)
      let filled = header.base + UInt64(max(0, min(inFile, Int64(header.payloadBytes))))
      parts.append(
        RedoReader.Part(
          base: header.base, end: min(end, header.base + header.payloadBytes),
          filledEnd: min(end, filled), path: info.path))
    }
    parts.sort { $0.base < $1.base }
    var index = 1
    while index < parts.count {
      if parts[index].base < parts[index - 1].end, parts[index].end > from {
        throw LugeError(
          .corruption, "two redo segments claim the same part of the log", path: parts[index].path,
          offset: 0, found: "\(parts[index - 1].path)")
      }
      index += 1
    }
    reader = RedoReader(files: files, parts: parts)
  }

  var parts: [RedoReader.Part] { reader.parts }

  func close() { reader.close() }

  /// The file that holds an LSN.
  func path(at lsn: UInt64) -> String? { reader.path(at: lsn) }

  /// Where in its file an LSN lies.
  func offset(at lsn: UInt64) -> Int64? { reader.offset(at: lsn) }

  /// The piece at a position; nil where there is none.
  func piece(at position: UInt64) throws(LugeError) -> Piece? {
    let head = unsafe try reader.bytes(at: position, count: RedoFormat.headerBytes)
    guard let head = unsafe head, let header = unsafe RedoHeader(head), header.isWellFormed,
      header.lsn == position
    else { return nil }
    let bytes = unsafe try reader.bytes(at: position, count: Int(header.length))
    guard let bytes = unsafe bytes,
      unsafe header.computedChecksum(bytes, seed: seed) == header.checksum
    else { return nil }
    guard header.version <= RedoFormat.version else {
      throw LugeError(
        .unsupportedVersion, "the redo log was written by a newer version",
        path: reader.path(at: position), expected: "at most \(RedoFormat.version)",
        found: "\(header.version)")
    }
    return unsafe Piece(header: header, bytes: bytes)
  }

  /// The same, read from the files again: where the log seems to end that may be the read's fault and not the log's.
  func pieceReadAgain(at position: UInt64) throws(LugeError) -> Piece? {
    reader.forget()
    return unsafe try piece(at: position)
  }

  /// The group that begins at a position; nil where none does.
  func group(at position: UInt64) throws(LugeError) -> RedoGroup? {
    guard let piece = unsafe try piece(at: position),
      unsafe piece.header.kind == RedoKind.group.rawValue,
      let group = unsafe RedoGroup(payload: piece.payload), group.incarnation == era.incarnation
    else { return nil }
    return group
  }
}
