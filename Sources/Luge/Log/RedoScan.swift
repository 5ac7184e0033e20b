import Platform

/// A part of the redo stream that one incarnation wrote: from `start` to the start of the next era.
struct RedoEra: Equatable, Sendable {
  var incarnation: UInt64
  /// A multiple of 4096.
  var start: UInt64
}

/// Reads the redo stream from an LSN to its end, era after era, and tells an end from damage.
///
/// All eras but the last were durable to the end when the next one began: less than that is damage. In
/// the last one the first place that is no piece (length, LSN = position, checksum under the
/// incarnation) ends the log, because a crash may leave anything there. It is damage, and reported, where
/// something says that more was durable: the superblock, a group further on (written only when all before it was
/// durable), or a segment further on. Damage in the last group cannot be told from a torn tail.
///
/// What cannot be read is an error, also behind the end: it might have been a group that says so. Only where
/// a close says where the log ends nothing can be there, and a sector may be unreadable.
///
/// Never traps, whatever the files hold.
struct RedoScan {
  /// What the scan found besides the pieces.
  struct Result: Equatable, Sendable {
    /// The LSN after the last good piece, or where the scan began.
    var end: UInt64
    var commits = 0
    var groups = 0
    /// Pieces of commits and identifiers: without any there is nothing to replay.
    var records = 0
    /// Where the last group begins, 0 without any: all before it is durable.
    var lastGroup: UInt64 = 0
    /// The highest incarnation that any segment bears: a new one must be above it.
    var highestIncarnation: UInt64
    /// Every redo file, for `RedoLog`'s initialiser.
    var segments: [RedoSegmentInfo]
  }

  private let files: any FileSystem
  private let directory: String
  private let superblock: Superblock
  private let from: UInt64
  private let segments: [RedoSegmentInfo]

  /// Called with each commit, in place or apart, and identifiers piece in LSN order. The payload is good until it returns.
  typealias Visitor = (UInt64, RedoKind, UnsafeRawBufferPointer) throws(LugeError) -> Void
  /// The same; false: it does not take this piece, and the scan ends before it.
  typealias Taker = (UInt64, RedoKind, UnsafeRawBufferPointer) throws(LugeError) -> Bool

  /// All from R of a superblock on, which names at least one era. A log that knows a newer superblock is damage.
  static func run(
    files: any FileSystem, directory: String, superblock: Superblock, _ visit: Visitor
  ) throws(LugeError) -> Result {
    try unsafe some(
      files: files, directory: directory, superblock: superblock, from: superblock.recoveryLSN
    ) { (lsn, kind, payload) throws(LugeError) in
      try unsafe visit(lsn, kind, payload)
      return true
    }
  }

  /// As much as is taken, from R or from where that ended before.
  static func some(
    files: any FileSystem, directory: String, superblock: Superblock, from: UInt64, _ take: Taker
  ) throws(LugeError) -> Result {
    let segments = try RedoSegmentFiles.load(files, directory: directory)
    let scan = RedoScan(
      files: files, directory: directory, superblock: superblock, from: from, segments: segments)
    return unsafe try scan.run(take)
  }

  private func run(_ take: Taker) throws(LugeError) -> Result {
    let eras = superblock.eras
    guard let last = eras.last else { preconditionFailure("a log has an era") }
    var result = Result(end: from, highestIncarnation: last.incarnation, segments: segments)
    for info in segments {
      let header = info.header
      result.highestIncarnation = max(result.highestIncarnation, header.incarnation)
      try checkSequence(header.superblockSequence, path: info.path, offset: 0)
    }
    var index = 0
    while index < eras.count {
      let next = index + 1 < eras.count ? eras[index + 1].start : nil
      if next.map({ $0 > from }) ?? true {
        if unsafe try !read(eras[index], until: next, &result, take) { return result }
      }
      index += 1
    }
    try checkLater(than: last.incarnation, result.highestIncarnation)
    return result
  }

  /// False: not all was taken.
  private func read(
    _ era: RedoEra, until next: UInt64?, _ result: inout Result, _ take: Taker
  ) throws(LugeError) -> Bool {
    let reader = try EraReader(files, segments, era, until: next ?? .max, from: result.end)
    defer { reader.close() }
    if unsafe try !scanPieces(reader, &result, take) { return false }
    guard let next else {
      try checkEnd(reader, result.end)
      return true
    }
    if result.end != next {
      throw damage(result.end, reader, "a later part of it says that LSN \(next) was durable")
    }
    return true
  }

  private func scanPieces(
    _ reader: EraReader, _ result: inout Result, _ take: Taker
  ) throws(LugeError) -> Bool {
    while true {
      let position = result.end
      guard let piece = unsafe try pieceOrEnd(reader, position) else { return true }
      let header = unsafe piece.header
      let payload = unsafe piece.payload
      switch RedoKind(rawValue: header.kind) {
      case .pad: break
      case .group:
        result.groups += 1
        result.lastGroup = position
        guard let group = unsafe RedoGroup(payload: payload),
          group.incarnation == reader.era.incarnation,
          position % UInt64(RedoFormat.blockBytes) == 0
        else { throw undecodable(position, reader) }
        try checkSequence(group.superblockSequence, at: position, reader)
      case .commit:
        if unsafe try !take(position, .commit, payload) { return false }
        result.commits += 1
        result.records += 1
      case .commitApart:
        if unsafe try !take(position, .commitApart, payload) { return false }
        result.commits += 1
        result.records += 1
      case .identifiers:
        if unsafe try !take(position, .identifiers, payload) { return false }
        result.records += 1
      case nil: throw undecodable(position, reader)
      }
      result.end = position + UInt64(header.length)
    }
  }

  /// Nil where the log ends. That is believed only of two reads: a drive that returns other bytes for once must not
  /// take away what was flushed.
  private func pieceOrEnd(
    _ reader: EraReader, _ position: UInt64
  ) throws(LugeError) -> EraReader.Piece? {
    do throws(LugeError) {
      if let piece = unsafe try reader.piece(at: position) { return unsafe piece }
      guard let piece = unsafe try reader.pieceReadAgain(at: position) else { return nil }
      probe("recovery.readAgain")
      return unsafe piece
    } catch {
      if !isHarmless(error, at: position) { throw error }
      return nil
    }
  }

  /// Whether it is of no account that something cannot be read in the last era that the superblock names.
  private func isHarmless(_ error: LugeError, at position: UInt64) -> Bool {
    error.code == .inputOutput && superblock.wasClosed && position >= superblock.durableLSN
  }

  // MARK: The end, or damage

  /// Throws `.corruption` where something says that the log was durable beyond `end`.
  private func checkEnd(_ reader: EraReader, _ end: UInt64) throws(LugeError) {
    let durable = superblock.durableLSN
    if end < durable {
      throw damage(end, reader, "the superblock says that LSN \(durable) was durable")
    }
    if durable > reader.era.start,
      (durable - reader.era.start) % superblock.redoSegmentPayload != 0,
      reader.path(at: durable) == nil
    {
      // Blocks before this one were written into the same file, and what begins here goes there too.
      throw damage(durable, reader, "the segment is missing that holds LSN \(durable)")
    }
    let block = UInt64(RedoFormat.blockBytes)
    for part in reader.parts where part.end > end {
      // Segments are taken into use in order, each when its file is durable.
      let position = max(part.base, (end + block - 1) / block * block)
      try checkGroups(of: part, from: position, reader, isNamed: true) { group in
        group.durable > end
          ? damage(end, reader, "a group says that LSN \(group.durable) was durable") : nil
      }
    }
    if reader.path(at: end) == nil, let later = reader.parts.last, later.base > end {
      throw damage(end, reader, "its segment is missing, and \(later.path) is there")
    }
  }

  /// Groups of an incarnation that the superblock does not name yet were left by an opening that did not
  /// end, and know no newer superblock; else the newest one is lost, with what was flushed under it.
  private func checkLater(than named: UInt64, _ highest: UInt64) throws(LugeError) {
    if highest <= named { return }
    for info in segments {
      let header = info.header
      if header.incarnation <= named { continue }
      let era = RedoEra(incarnation: header.incarnation, start: 0)
      let reader = try EraReader(files, [info], era, until: .max, from: 0)
      defer { reader.close() }
      for part in reader.parts {
        try checkGroups(of: part, from: part.base, reader, isNamed: false) { _ in nil }
      }
    }
  }

  /// Looks at every group of a segment from a position on. `isNamed`: the superblock names its era.
  private func checkGroups(
    of part: RedoReader.Part, from start: UInt64, _ reader: EraReader, isNamed: Bool,
    _ complaint: (RedoGroup) -> LugeError?
  ) throws(LugeError) {
    // What a header claims and the file does not hold need not be looked at.
    var position = start
    while position < part.filledEnd {
      if let group = try group(at: position, reader, isNamed: isNamed) {
        if let error = complaint(group) { throw error }
        try checkSequence(group.superblockSequence, at: position, reader)
      }
      position += UInt64(RedoFormat.blockBytes)
    }
  }

  private func group(
    at position: UInt64, _ reader: EraReader, isNamed: Bool
  ) throws(LugeError) -> RedoGroup? {
    do throws(LugeError) { return try reader.group(at: position) } catch {
      if isNamed, isHarmless(error, at: position) { return nil }
      throw error
    }
  }

  private func checkSequence(
    _ known: UInt64, at position: UInt64, _ reader: EraReader
  ) throws(LugeError) {
    try checkSequence(
      known, path: reader.path(at: position), offset: reader.offset(at: position))
  }

  private func checkSequence(
    _ known: UInt64, path: String?, offset: Int64?
  ) throws(LugeError) {
    guard known > superblock.sequence else { return }
    throw LugeError(
      .corruption, "the newest superblock is unreadable: the redo log knows of a newer one",
      path: path, offset: offset, expected: "superblock \(known)", found: "\(superblock.sequence)")
  }

  private func damage(_ end: UInt64, _ reader: EraReader, _ why: String) -> LugeError {
    LugeError(
      .corruption, "the redo log is damaged: \(why)", path: reader.path(at: end),
      offset: reader.offset(at: end), expected: "a piece with LSN \(end)", found: "none")
  }

  private func undecodable(_ position: UInt64, _ reader: EraReader) -> LugeError {
    LugeError(
      .corruption, "a piece of the redo log has a good checksum and cannot be decoded",
      path: reader.path(at: position), offset: reader.offset(at: position))
  }
}
