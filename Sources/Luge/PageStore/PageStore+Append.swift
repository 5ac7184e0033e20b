import Platform

extension PageStore {
  /// Appends a record and returns its address. It is live at once, and durable after the next good
  /// `sync()`. Throws `.tooLarge`, and what hindered an earlier write for whose bytes there is no
  /// more room: then nothing was appended.
  ///
  /// Safe: the payload is lent for the call and copied.
  ///
  /// - Parameter head: what stands before `payload` in the record's payload.
  func append(
    _ kind: PageKind, after head: [UInt8] = [], _ payload: UnsafeRawBufferPointer,
    to stream: PageStream = .hot
  ) throws(LugeError) -> PagePart {
    let length = head.count + payload.count
    guard length <= largestPayload else {
      throw LugeError(
        .tooLarge, "a page does not fit into a page segment",
        expected: "at most \(largestPayload) bytes", found: "\(length)")
    }
    let bytes = PageFormat.recordBytes(payload: length)
    if family == .values && bytes > bufferBytes {
      return unsafe try appendPastBuffers(kind, head, payload, to: stream)
    }
    let appender = appender(stream)
    var hasSealed = false
    while true {
      try checkUsable()
      try lock.acquire()
      if !hasRoom(appender, bytes), appender.sealed == nil {
        do throws(LugeError) { try beginBuffer(appender, bytes, stream) } catch {
          lock.unlock()
          throw error
        }
        hasSealed = appender.sealed != nil
      }
      if let buffer = appender.filling, hasRoom(appender, bytes) {
        let address = unsafe buffer.append(kind, head, payload)
        segments.retain(address.serial, bytes)
        isUnsynced.store(1)
        appender.noteUnwritten()
        lock.unlock()
        counters.noteAppend(bytes, stream)
        // Its failure is told to whoever needs the room, or syncs.
        if hasSealed { try? writeSealed(stream) }
        return PagePart(address: address, length: length)
      }
      lock.unlock()
      probe("page.appendWaited")
      try writeSealed(stream)
    }
  }

  /// The same for an array.
  func append(
    _ kind: PageKind, _ payload: [UInt8], to stream: PageStream = .hot
  ) throws(LugeError) -> PagePart {
    // The array outlives the call.
    unsafe try payload.withUnsafeBufferPointer { (buffer) throws(LugeError) in
      unsafe try append(kind, UnsafeRawBufferPointer(buffer), to: stream)
    }
  }

  // MARK: Under `lock`

  private func hasRoom(_ appender: PageAppender, _ bytes: Int) -> Bool {
    guard let buffer = appender.filling, buffer.end + bytes <= segmentBytes else { return false }
    return buffer.isEmpty || buffer.writer.count + bytes <= bufferBytes
  }

  /// Seals what the buffer holds and begins the next, in the same segment or in a new one.
  private func beginBuffer(
    _ appender: PageAppender, _ bytes: Int, _ stream: PageStream
  ) throws(LugeError) {
    if let buffer = appender.filling, buffer.end + bytes <= segmentBytes {
      seal(appender, padded: false)
      return
    }
    guard nextSerial < 1 << 32 else {
      throw LugeError(.resourceExhausted, "all serials of \(family.name) segments are used up")
    }
    if appender.filling != nil {
      seal(appender, padded: false)
      if let rest = appender.filling { appender.recycle(rest, bufferBytes) }
      probe("page.segmentRolled")
    }
    segments.append(PageSegments.Segment(serial: nextSerial, stream: stream))
    noteSize()
    appender.filling = PageBuffer(
      family, serial: nextSerial, offset: 0, memory: appender.takeMemory(bufferBytes))
    nextSerial += 1
  }

  /// The same for a buffer that may hold nothing but its segment's header.
  func sealAll(_ appender: PageAppender) {
    guard let buffer = appender.filling else { return }
    appender.sealed = buffer
    appender.filling = PageBuffer(
      family, serial: buffer.serial, offset: buffer.end, memory: appender.takeMemory(bufferBytes))
    appender.noteUnwritten()
  }

  /// What is in the buffer will be written; appends go on behind it.
  func seal(_ appender: PageAppender, padded: Bool) {
    guard let buffer = appender.filling, !buffer.isEmpty else { return }
    appender.sealed = buffer
    let block = PageFormat.blockBytes
    let next = padded ? (buffer.end + block - 1) / block * block : buffer.end
    appender.filling = PageBuffer(
      family, serial: buffer.serial, offset: next, memory: appender.takeMemory(bufferBytes))
    appender.noteUnwritten()
  }

  // MARK: Writing

  private func writeSealed(_ stream: PageStream) throws(LugeError) {
    try writeLock.acquire()
    defer { writeLock.unlock() }
    try writeSealedLocked(stream)
  }

  /// Under `writeLock`: writes the sealed buffer, if there is one. If that fails it stays sealed.
  func writeSealedLocked(_ stream: PageStream) throws(LugeError) {
    let appender = appender(stream)
    try lock.acquire()
    let sealed = appender.sealed
    lock.unlock()
    guard let sealed else { return }
    do throws(PlatformError) {
      let writer = try writer(of: sealed.serial, stream)
      try faultPoint("page.write")
      if !unsynced.contains(where: { $0 === writer }) {
        writer.acquire()
        unsynced.append(writer)
      }
      try writer.file.writeFully(sealed.writer.bytes, at: Int64(sealed.offset))
    } catch {
      probe("page.writeRetried")
      throw LugeError(error, doing: "writing \(family.name)s")
    }
    let (serial, end) = (sealed.serial, sealed.end)
    _ = counters.bytesWritten.fetchAdd(UInt64(sealed.writer.count))
    try lock.acquire()
    appender.sealed = nil
    appender.recycle(sealed, bufferBytes)
    segments.setFileBytes(serial, end)
    appender.noteUnwritten()
    lock.unlock()
  }

  /// Under `writeLock`: the file that a stream writes to, made where it is new.
  func writer(
    of serial: UInt64, _ stream: PageStream
  ) throws(PlatformError) -> SegmentFile {
    if let writer = writers[stream.rawValue] {
      if writer.serial == serial { return writer }
      writers[stream.rawValue] = nil
      // Until it is synced `unsynced` has a use of it.
      writer.release()
    }
    try faultPoint("page.newSegment")
    let writer = SegmentFile(serial: serial, file: try make(path(serial)))
    directoryIsUnsynced = true
    writers[stream.rawValue] = writer
    // For readers. Who cannot find it there opens the file again, so nothing hangs on it.
    try? openFiles.add(writer)
    return writer
  }

  /// A file of this name is one that an attempt which failed left behind: no serial is used twice.
  func make(_ path: String) throws(PlatformError) -> any File {
    do throws(PlatformError) {
      return try files.open(path, .createNew)
    } catch {
      guard error.code == .alreadyExists else { throw error }
      return try files.open(path, .readWrite)
    }
  }

  // MARK: Syncing

  /// Makes durable all that was appended before the call, to both streams, and the names of its
  /// files. Throws what hindered a write: then nothing is lost and the call may be made again. A sync
  /// that fails is final.
  func sync() throws(LugeError) {
    try syncLock.acquire()
    defer { syncLock.unlock() }
    try checkUsable()
    // Nobody syncs at this moment, so what was appended before is durable.
    if family == .values && isUnsynced.load() == 0 { return }
    // Before the buffers are taken: what comes later says so again.
    isUnsynced.store(0)
    let written: [SegmentFile]
    let hasNames: Bool
    do throws(LugeError) { (written, hasNames) = try writeAll() } catch {
      isUnsynced.store(1)
      throw error
    }
    defer { for file in written { file.release() } }
    do throws(PlatformError) {
      if written.isEmpty && !hasNames { return }
      try faultPoint("page.sync")
      for file in written { try file.file.syncAll() }
      if hasNames { try files.syncDirectory(directory) }
    } catch {
      let final = LugeError(error, doing: "syncing \(family.name)s")
      failureCell.set(final)
      throw final
    }
  }

  /// Writes all buffers; answers what is to be synced for that, with a use of each file.
  private func writeAll() throws(LugeError) -> (files: [SegmentFile], names: Bool) {
    try writeLock.acquire()
    defer { writeLock.unlock() }
    for stream in PageStream.allCases {
      let appender = appender(stream)
      while true {
        try lock.acquire()
        let hasRoom = appender.sealed == nil
        if hasRoom { seal(appender, padded: true) }
        lock.unlock()
        try writeSealedLocked(stream)
        if hasRoom { break }
      }
    }
    let result = (unsynced, directoryIsUnsynced)
    unsynced = []
    directoryIsUnsynced = false
    return result
  }
}
