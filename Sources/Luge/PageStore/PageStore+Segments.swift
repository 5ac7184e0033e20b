import Platform

extension PageStore {
  // MARK: Live and named bytes

  /// A record is named no more by anything in memory: what took its place is named already.
  /// It was appended or adopted, and was not released before.
  func release(_ part: PagePart) throws(LugeError) { try release([part]) }

  /// The same for several. `isNamed`: the checkpoint that is under way, if there is one, may name them
  /// all the same; so only its own walk knows better.
  ///
  /// - Parameter lsn: no redo from here on names one of them. The tail of now where redo does.
  func release(
    _ parts: [PagePart], isNamed: Bool = true, at lsn: UInt64 = 0
  ) throws(LugeError) {
    if parts.isEmpty { return }
    try lock.acquire()
    defer { lock.unlock() }
    for part in parts {
      segments.release(part.address.serial, part.bytes, at: lsn)
      if isNamed { outrun?.add(part) }
    }
  }

  /// The same for records of which only the bytes are known, by segment.
  func release(_ table: SegmentBytes, at lsn: UInt64) throws(LugeError) {
    if table.entries.isEmpty { return }
    try lock.acquire()
    defer { lock.unlock() }
    for entry in table.entries {
      segments.release(entry.serial, Int(entry.bytes), at: lsn)
      outrun?.add(entry.bytes, to: entry.serial)
    }
  }

  /// A checkpoint begins: from here on releases are noted, because its walk may have passed.
  func beginNaming() throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    outrun = SegmentBytes()
  }

  /// Whether others than the walk have released anything since the checkpoint began, or the walk an
  /// image that the chunk has not become: then `endNaming` may answer too much.
  func isOutrun() throws(LugeError) -> Bool {
    try lock.acquire()
    defer { lock.unlock() }
    return outrun.map { released in !released.entries.isEmpty } ?? false
  }

  /// The checkpoint has named all that it names. Answers bytes that cover it in every segment: what
  /// is live, and what others than the walk released meanwhile. That is exact when nobody evicted or
  /// moved anything meanwhile; else it may be too much, and never too little.
  func endNaming() throws(LugeError) -> SegmentBytes {
    try lock.acquire()
    defer { lock.unlock() }
    var table = outrun ?? SegmentBytes()
    outrun = nil
    for segment in segments.all { table.add(UInt64(segment.liveBytes), to: segment.serial) }
    return table
  }

  /// For recovery: the newest superblock names so many bytes in each segment, and all of that is
  /// live and nothing else is. Throws `.corruption` where a segment is missing or shorter than that.
  func adopt(_ table: SegmentBytes) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    for entry in table.entries {
      guard let index = segments.index(of: entry.serial),
        entry.bytes <= UInt64(segments.all[index].fileBytes)
      else {
        let size = segments.index(of: entry.serial).map { segments.all[$0].fileBytes }
        throw LugeError(
          .corruption,
          size == nil
            ? "a \(family.name) segment is missing" : "a \(family.name) segment is cut short",
          path: path(entry.serial), expected: "at least \(entry.bytes) bytes",
          found: size.map { "\($0)" } ?? "nothing")
      }
    }
    segments.setLive(table)
    named = table
  }

  /// For replay: a record that the redo names and no image is live. Throws `.corruption` where its
  /// segment is missing or shorter than that: what redo names was durable before.
  func retain(_ part: PagePart) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    try checkNamedLocked(part)
    segments.retain(part.address.serial, part.bytes)
  }

  /// The same look without the rest.
  func checkNamed(_ part: PagePart) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    try checkNamedLocked(part)
  }

  private func checkNamedLocked(_ part: PagePart) throws(LugeError) {
    guard let index = segments.index(of: part.address.serial),
      part.address.offset + part.bytes <= segments.all[index].fileBytes
    else {
      throw damage(
        part.address, "what the redo log names in a \(family.name) segment is not there",
        expected: "\(part.bytes) bytes", found: nil)
    }
  }

  /// For the checkpoint: a superblock is durable that names so many bytes in each segment, all
  /// records counted that are reached from it, and from which recovery would replay the redo from
  /// `redoStart` on.
  func noteNamed(_ table: SegmentBytes, redoStart: UInt64 = 0) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    named = table
    self.redoStart = redoStart
  }

  /// Bytes of live records, by segment.
  func liveBytes() throws(LugeError) -> SegmentBytes {
    try lock.acquire()
    defer { lock.unlock() }
    var table = SegmentBytes()
    for segment in segments.all { table.add(UInt64(segment.liveBytes), to: segment.serial) }
    return table
  }

  /// Bytes that the newest durable superblock names, by segment.
  func namedBytes() throws(LugeError) -> SegmentBytes {
    try lock.acquire()
    defer { lock.unlock() }
    return named
  }

  /// How often more was released than was live; 0 unless something is wrong.
  var releaseViolations: Int {
    guard (try? lock.lock()) != nil else { return 0 }
    defer { lock.unlock() }
    return segments.violations
  }

  /// Every segment, in the order of serials. A copy of its own: one that shares its memory would be read
  /// without the lock while a holder of the lock, finding it shared no longer, changes it in place,
  /// which only the runtime's reference count keeps apart.
  func segmentList() throws(LugeError) -> [PageSegments.Segment] {
    try lock.acquire()
    defer { lock.unlock() }
    return segments.all.map { segment in segment }
  }

  // MARK: Giving back

  /// Removes every segment that nothing names: see the class's invariants. Returns how many went; one
  /// that cannot go now is tried again by the next call.
  ///
  /// For the checkpoint, between `noteNamed` and the beginning of the next one: what an unfinished
  /// checkpoint is about to name is counted nowhere else.
  @discardableResult
  func reclaim() throws(LugeError) -> Int {
    var removed = 0
    for serial in try unusedSegments() {
      try forgetUnsynced(serial)
      try openFiles.forget(serial)
      do throws(PlatformError) {
        try files.remove(path(serial))
        probe("page.segmentRemoved")
        _ = counters.segmentsRemoved.fetchAdd(1)
        removed += 1
      } catch {
        if error.code == .killed {
          throw LugeError(error, doing: "removing a \(family.name) segment")
        }
        if error.code != .notFound { continue }
      }
      try lock.acquire()
      segments.remove(serial)
      noteSize()
      lock.unlock()
    }
    return removed
  }

  /// What nothing names needs no sync.
  private func forgetUnsynced(_ serial: UInt64) throws(LugeError) {
    try writeLock.acquire()
    defer { writeLock.unlock() }
    guard let index = unsynced.firstIndex(where: { $0.serial == serial }) else { return }
    unsynced.remove(at: index).release()
  }

  private func unusedSegments() throws(LugeError) -> [UInt64] {
    try lock.acquire()
    defer { lock.unlock() }
    var unused: [UInt64] = []
    for segment in segments.all
    where segment.liveBytes == 0 && named.bytes(of: segment.serial) == 0
      && !isAppendedTo(segment.serial)
    {
      if segment.freedAt > redoStart {
        // Redo that recovery would replay may name what is in it.
        probe("value.segmentKept")
        continue
      }
      unused.append(segment.serial)
    }
    return unused
  }

  func isAppendedTo(_ serial: UInt64) -> Bool {
    for stream in PageStream.allCases {
      let appender = appender(stream)
      if appender.filling?.serial == serial || appender.sealed?.serial == serial { return true }
    }
    return false
  }
}
