import Platform

/// The redo segment files: made, recycled, written, synced, removed.
///
/// Orders, each of which a crash may interrupt anywhere:
/// - A new file: prewritten with zeros, or, while much is written at a time, its blocks reserved; its
///   header; synced with all metadata; its directory synced; only then written to. So a group's sync
///   owes nothing but data, and that its blocks hold data now.
/// - A recycled file: one copy of its old header made durable, the new header written over the other copy and synced, and only
///   then over the first; all before a block is written into it.
/// - A file is free, to be recycled or removed, when a durable superblock no longer needs it:
///   `release(below:)`. A removal need not be durable: a file that comes back is free again.
///
/// Invariants:
/// - `held` and `spares` are guarded by `lock`; `opened`, `unsynced` and `half` belong to the flush.
/// - No two files ever claim the same segment: a file that could is removed, or used, or the log fails.
/// - Room for a checkpoint: once a file could not be made for want of space, the last spare is for
///   checkpoints only (`mayUseLastSpare`), whose flush takes it; or, where it is the pages that find
///   no room, they have its space (`giveBackSpares`).
/// - Segment k of this incarnation holds LSNs `start + k * payload ..< start + (k + 1) * payload`,
///   and they are taken into use in that order.
final class RedoSegmentStore: @unchecked Sendable {
  private struct Segment {
    var serial: UInt64
    var path: String
    /// The LSN after the last that it may hold; 0 for a file that holds nothing.
    var end: UInt64
    var isRecyclable: Bool
    var size: Int64
    /// Of an earlier incarnation.
    var isEarlier = false
  }

  private struct Opened {
    var base: UInt64
    var file: any File
  }

  private let files: any FileSystem
  private let directory: String
  private let settings: RedoSettings
  private let incarnation: UInt64
  private let start: UInt64
  private let lock: Lock

  private var held: [Segment] = []
  private var spares: [Segment] = []
  private var nextSerial: UInt64 = 1

  private var opened: [Opened] = []
  private var unsynced: [any File] = []
  /// Files that could be neither completed nor removed. Guarded by `lock`.
  private var leftovers: [String] = []
  /// A spare whose recycling ran out of space: its header may say by now that it holds the segment
  /// wanted then. So the next try, which is for the same segment, takes this one.
  private var half: Segment?
  /// Set by whoever flushes: whether it is for a checkpoint.
  var mayUseLastSpare = false
  private let spaceIsShort = AtomicWord(0)
  private let syncFailure = AtomicWord(0)
  /// Bytes of a group, about, as the last ones were.
  private let typicalGroup = AtomicWord(0)

  /// A failed sync is never retried, whatever its error.
  var syncFailed: Bool { syncFailure.load() != 0 }

  private var payload: UInt64 { UInt64(settings.segmentPayload) }
  private var fileBytes: Int64 { Int64(settings.segmentPayload + RedoSegmentHeader.blockBytes) }

  /// - Parameter eras: of the superblock. What other incarnations left is free: openings that came to
  ///   nothing, or eras before.
  init(
    platform: PlatformServices, directory: String, settings: RedoSettings, incarnation: UInt64,
    start: UInt64, adopting segments: [RedoSegmentInfo], eras: [RedoEra]
  ) {
    files = platform.files
    self.directory = directory
    self.settings = settings
    self.incarnation = incarnation
    self.start = start
    lock = Lock(threads: platform.threads)
    for info in segments {
      nextSerial = max(nextSerial, info.serial + 1)
      var end: UInt64 = 0
      let header = info.header
      if eras.contains(where: { era in era.incarnation == header.incarnation }) {
        let (sum, overflow) = header.base.addingReportingOverflow(header.payloadBytes)
        end = overflow ? .max : sum
      }
      held.append(
        Segment(
          serial: info.serial, path: info.path, end: end,
          isRecyclable: info.isComplete && info.size == fileBytes, size: info.size, isEarlier: true
        ))
    }
  }

  /// The first LSN of the segment that holds `lsn`.
  func segmentBase(of lsn: UInt64) -> UInt64 { start + (lsn - start) / payload * payload }

  // MARK: For the flush, one thread at a time

  /// Makes the segments of a range ready to be written to.
  func prepare(
    from: UInt64, to end: UInt64, superblockSequence: UInt64
  ) throws(LugeError) {
    var base = segmentBase(of: from)
    while base < end {
      if !opened.contains(where: { $0.base == base }) {
        let file = try makeSegment(base: base, superblockSequence)
        if base != start { probe("log.segmentRolled") }
        opened.append(Opened(base: base, file: file))
      }
      base += payload
    }
  }

  /// Writes whole blocks of the ring: one write for each run that lies together in ring and file.
  func write(_ ring: RedoRing, from: UInt64, to end: UInt64) throws(LugeError) {
    do throws(PlatformError) {
      try faultPoint("log.write")
      var position = from
      while position < end {
        let base = segmentBase(of: position)
        guard let segment = opened.first(where: { $0.base == base }) else {
          preconditionFailure("a group's segment was not prepared")
        }
        // The ring keeps these bytes until they are durable, which is after this.
        let run = unsafe ring.run(from: position, to: min(end, base + payload))
        if !unsynced.contains(where: { $0 === segment.file }) { unsynced.append(segment.file) }
        let span = unsafe RawSpan(_unsafeBytes: run)
        try segment.file.writeFully(span, at: Self.offset(of: position, base: base))
        position += UInt64(run.count)
      }
    } catch {
      throw LugeError(error, doing: "writing the redo log")
    }
  }

  /// Writes whole blocks at an LSN whose segments are prepared.
  func write(_ bytes: [UInt8], at lsn: UInt64) throws(LugeError) {
    do throws(PlatformError) {
      try faultPoint("log.write")
      var done = 0
      while done < bytes.count {
        let position = lsn + UInt64(done)
        let base = segmentBase(of: position)
        guard let segment = opened.first(where: { $0.base == base }) else {
          preconditionFailure("the segment was not prepared")
        }
        let count = min(bytes.count - done, Int(base + payload - position))
        if !unsynced.contains(where: { $0 === segment.file }) { unsynced.append(segment.file) }
        // Within the array, which outlives the call.
        let span = unsafe bytes.span.bytes
        try segment.file.writeFully(
          span.extracting(done..<done + count), at: Self.offset(of: position, base: base))
        done += count
      }
    } catch {
      throw LugeError(error, doing: "writing the redo log")
    }
  }

  /// Syncs every file written to, then closes those behind the newest.
  func sync() throws(LugeError) {
    do throws(PlatformError) {
      try faultPoint("log.sync")
      for file in unsynced { try file.syncData() }
    } catch {
      syncFailure.store(1)
      throw LugeError(error, doing: "syncing the redo log")
    }
    unsynced.removeAll()
    while opened.count > 1 { opened.removeFirst().file.close() }
  }

  /// Tells how large the groups are.
  func note(groupOf bytes: UInt64) {
    let former = typicalGroup.loadRelaxed()
    typicalGroup.storeRelaxed(former - former / 4 + bytes / 4)
  }

  /// Groups are so large that the zeros would cost more than they save: they are there so that the
  /// sync of a small group is one write.
  private var reservesOnly: Bool {
    typicalGroup.loadRelaxed() > max(payload / 16, 2 * UInt64(RedoFormat.blockBytes))
  }

  func close() {
    for segment in opened { segment.file.close() }
    opened.removeAll()
  }

  private static func offset(of lsn: UInt64, base: UInt64) -> Int64 {
    Int64(RedoSegmentHeader.blockBytes) + Int64(lsn - base)
  }

  // MARK: Making segments

  private func makeSegment(base: UInt64, _ sequence: UInt64) throws(LugeError) -> any File {
    var spare = half
    if spare == nil { spare = try takeSpare() }
    if let spare { return try recycle(spare, base: base, sequence) }
    let header = RedoSegmentHeader(
      serial: try takeSerial(), incarnation: incarnation, base: base, payloadBytes: payload,
      superblockSequence: sequence)
    let made = try create(header)
    try locking()
    held.append(made.segment)
    lock.unlock()
    return made.file
  }

  private func takeSpare() throws(LugeError) -> Segment? {
    try locking()
    defer { lock.unlock() }
    if spares.count == 1 && !mayUseLastSpare && spaceIsShort.load() != 0 {
      probe("log.spareKeptBack")
      return nil
    }
    return spares.popLast()
  }

  private func takeSerial() throws(LugeError) -> UInt64 {
    try locking()
    defer { lock.unlock() }
    nextSerial += 1
    return nextSerial - 1
  }

  private func recycle(
    _ spare: Segment, base: UInt64, _ sequence: UInt64
  ) throws(LugeError) -> any File {
    let header = RedoSegmentHeader(
      serial: spare.serial, incarnation: incarnation, base: base, payloadBytes: payload,
      superblockSequence: sequence)
    let copy = header.encoded()
    half = spare
    do throws(PlatformError) {
      try faultPoint("log.newSegment")
      let file = try files.open(spare.path, .readWrite)
      let kept = try secureHeader(file)
      try file.writeFully(copy, at: Int64(RedoSegmentHeader.copyOffsets[1 - kept]))
      try syncing { () throws(PlatformError) in try file.syncData() }
      try file.writeFully(copy, at: Int64(RedoSegmentHeader.copyOffsets[kept]))
      unsynced.append(file)
      var segment = spare
      segment.end = base + payload
      segment.isEarlier = false
      try lock.lock()
      held.append(segment)
      lock.unlock()
      half = nil
      probe("log.segmentRecycled")
      return file
    } catch {
      throw LugeError(error, doing: "recycling a redo segment")
    }
  }

  /// Makes one copy of the old header durable before the other is overwritten, and answers which. It may be
  /// in the page cache alone: an earlier life may have been killed before its sync, or its
  /// sync may have failed and left the page marked clean. Hence it is written again.
  private func secureHeader(_ file: any File) throws(PlatformError) -> Int {
    var kept = 1
    while kept >= 0 {
      let offset = Int64(RedoSegmentHeader.copyOffsets[kept])
      var bytes = [UInt8](repeating: 0, count: RedoSegmentHeader.bytes)
      do throws(PlatformError) { _ = try file.readAvailable(at: offset, into: &bytes) } catch {
        // The other copy is kept then, and this one written over.
        if error.code != .inputOutput { throw error }
        kept -= 1
        continue
      }
      if case .valid = RedoSegmentHeader.decode(bytes) {
        try file.writeFully(bytes, at: offset)
        try syncing { () throws(PlatformError) in try file.syncData() }
        return kept
      }
      kept -= 1
    }
    // Neither copy can be read: there is nothing to keep.
    return 1
  }

  private func syncing(_ body: () throws(PlatformError) -> Void) throws(PlatformError) {
    do { try body() } catch {
      syncFailure.store(1)
      throw error
    }
  }

  private func create(
    _ header: RedoSegmentHeader
  ) throws(LugeError) -> (segment: Segment, file: any File) {
    let path = RedoSegmentFiles.path(directory, serial: header.serial)
    var newPath = RedoSegmentFiles.newPath(directory, serial: header.serial)
    do throws(PlatformError) {
      try faultPoint("log.newSegment")
      // One that could be neither completed nor removed is used before another is made.
      try lock.lock()
      if let leftover = leftovers.popLast() { newPath = leftover }
      lock.unlock()
      let file = try files.open(newPath, .readWriteOrCreate)
      do throws(PlatformError) {
        // What an earlier life has left of one.
        try file.truncate(to: 0)
        try prewrite(file, header)
        try syncing { () throws(PlatformError) in try file.syncAll() }
        try files.rename(newPath, to: path)
      } catch {
        file.close()
        if error.code != .killed { discard(newPath) }
        throw error
      }
      // From here on the segment is there, and is not removed before it is known that nobody needs it.
      try syncing { () throws(PlatformError) in try files.syncDirectory(directory) }
      spaceIsShort.store(0)
      let segment = Segment(
        serial: header.serial, path: path,
        end: header.incarnation == 0 ? 0 : header.base + payload, isRecyclable: true,
        size: fileBytes)
      return (segment, file)
    } catch {
      if error.code == .noSpace { spaceIsShort.store(1) }
      throw LugeError(error, doing: "making a redo segment")
    }
  }

  /// Zeros first: where space runs out no header claims anything.
  private func prewrite(_ file: any File, _ header: RedoSegmentHeader) throws(PlatformError) {
    var offset = Int64(RedoSegmentHeader.blockBytes)
    if reservesOnly, try reserve(file, from: offset) { offset = fileBytes }
    let zeros = [UInt8](repeating: 0, count: Int(min(fileBytes - offset, 64 << 10)))
    while offset < fileBytes {
      let count = Int(min(Int64(zeros.count), fileBytes - offset))
      let span = unsafe zeros.span.bytes
      try file.writeFully(span.extracting(0..<count), at: offset)
      offset += Int64(count)
    }
    var first = ByteWriter(capacity: RedoSegmentHeader.blockBytes)
    for offset in RedoSegmentHeader.copyOffsets {
      first.writeZeros(offset - first.count)
      first.write(header.encoded())
    }
    first.writeZeros(RedoSegmentHeader.blockBytes - first.count)
    try file.writeFully(first.bytes, at: 0)
  }

  /// False where the file system cannot.
  private func reserve(_ file: any File, from offset: Int64) throws(PlatformError) -> Bool {
    do throws(PlatformError) {
      try file.allocate(offset: offset, length: fileBytes - offset)
    } catch {
      if error.code == .noSpace || error.code == .killed { throw error }
      return false
    }
    probe("log.segmentReserved")
    return true
  }

  /// Removes a file whose making failed. Where that does not work it is kept for the next one, or gone with
  /// the next opening.
  private func discard(_ path: String) {
    do { try files.remove(path) } catch {
      guard (try? lock.lock()) != nil else { return }
      leftovers.append(path)
      lock.unlock()
    }
  }

  // MARK: For background work

  /// Makes a spare if there are fewer than `wanted`. Returns whether it did.
  func prepareSpare(wanted: Int, superblockSequence: UInt64) throws(LugeError) -> Bool {
    try locking()
    let isNeeded = spares.count < min(wanted, settings.spareSegments)
    lock.unlock()
    guard isNeeded else { return false }
    let header = RedoSegmentHeader(
      serial: try takeSerial(), incarnation: 0, base: 0, payloadBytes: payload,
      superblockSequence: superblockSequence)
    let made = try create(header)
    made.file.close()
    try locking()
    spares.append(made.segment)
    lock.unlock()
    return true
  }

  /// Removes spares down to `count`. Returns whether there were more.
  func giveBackSpares(keeping count: Int) throws(LugeError) -> Bool {
    try locking()
    let given = Array(spares.dropFirst(count))
    spares.removeLast(given.count)
    lock.unlock()
    try remove(given)
    return !given.isEmpty
  }

  private var keptSegments: Int {
    spaceIsShort.load() != 0 ? settings.spareSegments : settings.keptSegments
  }

  /// Frees what lies wholly below `lsn`: keeps some as spares, removes the rest.
  ///
  /// - Parameter eraIsNamed: a durable superblock says that earlier eras end where this log begins.
  func release(below lsn: UInt64, eraIsNamed: Bool) throws(LugeError) {
    try locking()
    var kept: [Segment] = []
    var surplus: [Segment] = []
    for segment in held {
      let end = eraIsNamed && segment.isEarlier ? min(segment.end, start) : segment.end
      if end > lsn {
        kept.append(segment)
      } else if segment.isRecyclable && spares.count < keptSegments {
        spares.append(segment)
      } else {
        surplus.append(segment)
      }
    }
    held = kept
    lock.unlock()
    try remove(surplus)
  }

  private func remove(_ surplus: [Segment]) throws(LugeError) {
    for segment in surplus {
      do { try files.remove(segment.path) } catch {
        if error.code == .killed { throw LugeError(error, doing: "removing a redo segment") }
        if error.code == .notFound { continue }
        // Free as it is, it may be removed another time.
        try locking()
        held.append(segment)
        lock.unlock()
      }
    }
  }

  /// Bytes of all files.
  var diskBytes: Int64 {
    guard (try? lock.lock()) != nil else { return 0 }
    defer { lock.unlock() }
    var sum: Int64 = 0
    for segment in held { sum += segment.size }
    for segment in spares { sum += segment.size }
    return sum
  }

  private func locking() throws(LugeError) {
    do { try lock.lock() } catch {
      throw LugeError(error, doing: "waiting for the list of redo segments")
    }
  }
}
