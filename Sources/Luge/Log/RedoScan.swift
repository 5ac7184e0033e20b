import Platform

/// Reads the redo stream of one incarnation from an LSN to its end, and tells an end from damage.
///
/// The first place that is no piece (length, LSN = position, checksum under the incarnation) ends the log,
/// because a crash may leave anything there. It is damage, and reported, where something says that more was
/// durable: the superblock, a group further on (written only when all before it was durable), or
/// a segment further on. Damage in the last group cannot be told from a torn tail.
///
/// Never traps, whatever the files hold.
struct RedoScan {
  /// What the scan found besides the pieces.
  struct Result: Equatable, Sendable {
    /// The LSN after the last good piece, or where the scan began.
    var end: UInt64
    var commits = 0
    var groups = 0
    /// The highest incarnation that any segment bears: a new one must be above it.
    var highestIncarnation: UInt64
    /// Every redo file, for `RedoLog`'s initialiser.
    var segments: [RedoSegmentInfo]
  }

  private let files: any FileSystem
  private let incarnation: UInt64
  private let from: UInt64
  private let durable: UInt64
  private let sequence: UInt64
  private let seed: UInt32
  private let segments: [RedoSegmentInfo]

  /// Called with each commit, in place or apart, and identifiers piece in LSN order. The payload is good until it returns.
  typealias Visitor = (UInt64, RedoKind, UnsafeRawBufferPointer) throws(LugeError) -> Void

  /// - Parameters:
  ///   - from: R of the superblock: a position where a piece begins or began to be reserved.
  ///   - durable: the LSN that the superblock says was durable.
  ///   - superblockSequence: of the superblock that was loaded; a log that knows a newer one is damage.
  static func run(
    files: any FileSystem, directory: String, incarnation: UInt64, from: UInt64, durable: UInt64,
    superblockSequence: UInt64, _ visit: Visitor
  ) throws(LugeError) -> Result {
    let segments = try RedoSegmentFiles.load(files, directory: directory)
    let scan = RedoScan(
      files: files, incarnation: incarnation, from: from, durable: durable,
      sequence: superblockSequence,
      seed: RedoFormat.checksumSeed(incarnation: incarnation), segments: segments)
    return unsafe try scan.run(visit)
  }

  private func run(_ visit: Visitor) throws(LugeError) -> Result {
    var result = Result(end: from, highestIncarnation: incarnation, segments: segments)
    var parts: [RedoReader.Part] = []
    for info in segments {
      guard let header = info.header else { continue }
      result.highestIncarnation = max(result.highestIncarnation, header.incarnation)
      try checkSequence(header.superblockSequence, path: info.path, offset: 0)
      guard header.incarnation == incarnation, header.payloadBytes <= 1 << 40,
        header.base <= UInt64.max - (1 << 41)
      else { continue }
      let inFile = info.size - Int64(RedoSegmentHeader.blockBytes)
      parts.append(
        RedoReader.Part(
          base: header.base, end: header.base + header.payloadBytes,
          filledEnd: header.base + UInt64(max(0, min(inFile, Int64(header.payloadBytes)))),
          path: info.path))
    }
    parts.sort { $0.base < $1.base }
    try checkOverlap(parts)
    let reader = RedoReader(files: files, parts: parts)
    defer { reader.close() }
    unsafe try scanPieces(reader, &result, visit)
    try checkEnd(reader, result.end)
    return result
  }

  private func scanPieces(
    _ reader: RedoReader, _ result: inout Result, _ visit: Visitor
  ) throws(LugeError) {
    while true {
      let position = result.end
      guard let piece = unsafe try piece(at: position, reader) else { return }
      let header = unsafe piece.header
      let payload = unsafe UnsafeRawBufferPointer(
        rebasing: piece.bytes[
          RedoFormat.headerBytes..<RedoFormat.headerBytes + Int(header.payloadLength)])
      switch RedoKind(rawValue: header.kind) {
      case .pad: break
      case .group:
        result.groups += 1
        guard let group = unsafe RedoGroup(payload: payload), group.incarnation == incarnation
        else { throw undecodable(position, reader) }
        try checkSequence(group.superblockSequence, at: position, reader)
      case .commit:
        result.commits += 1
        unsafe try visit(position, .commit, payload)
      case .commitApart:
        result.commits += 1
        unsafe try visit(position, .commitApart, payload)
      case .identifiers: unsafe try visit(position, .identifiers, payload)
      case nil: throw undecodable(position, reader)
      }
      result.end = position + UInt64(header.length)
    }
  }

  @unsafe
  private struct Piece {
    var header: RedoHeader
    var bytes: UnsafeRawBufferPointer
  }

  /// The piece at a position; nil where there is none. The bytes are good until the next read.
  private func piece(at position: UInt64, _ reader: RedoReader) throws(LugeError) -> Piece? {
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

  // MARK: The end, or damage

  /// Throws `.corruption` where something says that the log was durable beyond `end`.
  private func checkEnd(_ reader: RedoReader, _ end: UInt64) throws(LugeError) {
    if end < durable {
      throw damage(end, reader, "the superblock says that LSN \(durable) was durable")
    }
    let block = UInt64(RedoFormat.blockBytes)
    for part in reader.parts where part.end > end {
      // Segments are taken into use in order, each when its file is durable.
      var position = max(part.base, (end + block - 1) / block * block)
      // What a header claims and the file does not hold need not be looked at.
      while position < part.filledEnd {
        if let group = try group(at: position, reader) {
          if group.durable > end {
            throw damage(end, reader, "a group at LSN \(position) says that it was durable")
          }
          try checkSequence(group.superblockSequence, at: position, reader)
        }
        position += block
      }
    }
    if reader.path(at: end) == nil, let later = reader.parts.last, later.base > end {
      throw damage(end, reader, "its segment is missing, and \(later.path) is there")
    }
  }

  private func group(at position: UInt64, _ reader: RedoReader) throws(LugeError) -> RedoGroup? {
    guard let piece = unsafe try piece(at: position, reader),
      unsafe piece.header.kind == RedoKind.group.rawValue
    else { return nil }
    let start = RedoFormat.headerBytes
    let end = unsafe start + Int(piece.header.payloadLength)
    // Well-formed: the payload lies within the piece.
    guard
      let group = unsafe RedoGroup(
        payload: UnsafeRawBufferPointer(rebasing: piece.bytes[start..<end])),
      group.incarnation == incarnation
    else { return nil }
    return group
  }

  private func checkOverlap(_ parts: [RedoReader.Part]) throws(LugeError) {
    var index = 1
    while index < parts.count {
      if parts[index].base < parts[index - 1].end, parts[index].end > from {
        throw LugeError(
          .corruption, "two redo segments claim the same part of the log", path: parts[index].path,
          offset: 0, found: "\(parts[index - 1].path)")
      }
      index += 1
    }
  }

  private func checkSequence(
    _ known: UInt64, at position: UInt64, _ reader: RedoReader
  ) throws(LugeError) {
    try checkSequence(
      known, path: reader.path(at: position), offset: reader.offset(at: position))
  }

  private func checkSequence(
    _ known: UInt64, path: String?, offset: Int64?
  ) throws(LugeError) {
    guard known > sequence else { return }
    throw LugeError(
      .corruption, "the newest superblock is unreadable: the redo log knows of a newer one",
      path: path, offset: offset, expected: "superblock \(known)", found: "\(sequence)")
  }

  private func damage(_ end: UInt64, _ reader: RedoReader, _ why: String) -> LugeError {
    LugeError(
      .corruption, "the redo log is damaged: \(why)", path: reader.path(at: end),
      offset: reader.offset(at: end), expected: "a piece with LSN \(end)", found: "none")
  }

  private func undecodable(_ position: UInt64, _ reader: RedoReader) -> LugeError {
    LugeError(
      .corruption, "a piece of the redo log has a good checksum and cannot be decoded",
      path: reader.path(at: position), offset: reader.offset(at: position))
  }
}
