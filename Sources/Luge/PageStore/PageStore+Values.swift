import Platform

// What only value segments need: records of any size, written from where they lie and read to where
// they are wanted, without a copy between.

extension PageStore: RedoPrerequisite {
  func makeDurable() throws(LugeError) { try sync() }
}

extension PageStore {
  /// A record above this part of a segment gets a segment of its own, which goes as soon as the record
  /// is dead: so nobody ever moves it.
  private static let sharesOfSegment = 4

  /// Appends a record that is larger than the buffers: writes it to its file within the call, from
  /// where it lies. Throws what hinders that; then nothing was appended.
  ///
  /// Safe: the body is lent for the call.
  func appendPastBuffers(
    _ kind: PageKind, _ head: [UInt8], _ body: UnsafeRawBufferPointer, to stream: PageStream
  ) throws(LugeError) -> PagePart {
    try writeLock.acquire()
    defer { writeLock.unlock() }
    try checkUsable()
    let bytes = PageFormat.recordBytes(payload: head.count + body.count)
    let isAlone = bytes > segmentBytes / PageStore.sharesOfSegment
    let address = isAlone ? try beginAlone(bytes) : try beginShared(bytes, stream)
    do throws(PlatformError) {
      let file = isAlone ? try newFile(address.serial) : try writer(of: address.serial, stream)
      // A file that is written once has no other use than that of `unsynced`.
      if !unsynced.contains(where: { $0 === file }) {
        if !isAlone { file.acquire() }
        unsynced.append(file)
      }
      try faultPoint("value.write")
      if isAlone {
        try file.file.writeFully(
          PageFormat.segmentHeader(family, serial: address.serial), at: 0)
      }
      unsafe try write(kind, head, body, bytes, at: address, file.file)
    } catch {
      try lock.acquire()
      segments.release(address.serial, bytes)
      segments.setFileBytes(address.serial, address.offset)
      lock.unlock()
      throw LugeError(error, doing: "writing a large value")
    }
    if isAlone { probe("value.ownSegment") } else { probe("value.writtenDirectly") }
    _ = counters.bytesWritten.fetchAdd(UInt64(bytes))
    counters.noteAppend(bytes, stream)
    try lock.acquire()
    segments.setFileBytes(address.serial, address.offset + bytes)
    lock.unlock()
    isUnsynced.store(1)
    return PagePart(address: address, length: head.count + body.count)
  }

  /// Under `writeLock`: a segment that nobody appends to.
  private func beginAlone(_ bytes: Int) throws(LugeError) -> PageAddress {
    try lock.acquire()
    defer { lock.unlock() }
    let serial = try takeSerial(.cold)
    segments.retain(serial, bytes)
    return PageAddress(serial: serial, offset: PageFormat.blockBytes)
  }

  /// Under `writeLock`: the next bytes of a stream, whose buffers are in their file by then.
  private func beginShared(
    _ bytes: Int, _ stream: PageStream
  ) throws(LugeError) -> PageAddress {
    let appender = appender(stream)
    while true {
      try writeSealedLocked(stream)
      try lock.acquire()
      defer { lock.unlock() }
      // Somebody has filled another one meanwhile.
      if appender.sealed != nil { continue }
      guard let buffer = appender.filling else {
        let serial = try takeSerial(stream)
        appender.filling = PageBuffer(
          family, serial: serial, offset: 0, memory: appender.takeMemory(bufferBytes))
        continue
      }
      if buffer.end + bytes > segmentBytes {
        seal(appender, padded: false)
        if let rest = appender.filling { appender.recycle(rest, bufferBytes) }
        appender.filling = nil
        probe("page.segmentRolled")
      } else if buffer.writer.count > 0 {
        // A record, or the header of the segment: in the file before what follows it.
        sealAll(appender)
      } else {
        let address = PageAddress(serial: buffer.serial, offset: buffer.end)
        appender.recycle(buffer, bufferBytes)
        appender.filling = PageBuffer(
          family, serial: buffer.serial, offset: buffer.end + bytes,
          memory: appender.takeMemory(bufferBytes))
        segments.retain(buffer.serial, bytes)
        return address
      }
    }
  }

  /// Under `lock`: a new segment.
  private func takeSerial(_ stream: PageStream) throws(LugeError) -> UInt64 {
    guard nextSerial < 1 << 32 else {
      throw LugeError(.resourceExhausted, "all serials of \(family.name) segments are used up")
    }
    segments.append(PageSegments.Segment(serial: nextSerial, stream: stream))
    nextSerial += 1
    return nextSerial - 1
  }

  private func newFile(_ serial: UInt64) throws(PlatformError) -> SegmentFile {
    try faultPoint("page.newSegment")
    let file = SegmentFile(serial: serial, file: try make(path(serial)))
    directoryIsUnsynced = true
    try? openFiles.add(file)
    return file
  }

  private func write(
    _ kind: PageKind, _ head: [UInt8], _ body: UnsafeRawBufferPointer, _ bytes: Int,
    at address: PageAddress, _ file: any File
  ) throws(PlatformError) {
    let front = unsafe PageFormat.front(kind, head, body, at: address)
    try file.writeFully(front, at: Int64(address.offset))
    // The caller lends it for the call.
    unsafe try file.writeFully(
      RawSpan(_unsafeBytes: body), at: Int64(address.offset + front.count))
    let padding = bytes - front.count - body.count
    if padding > 0 {
      try file.writeFully(
        [UInt8](repeating: 0, count: padding), at: Int64(address.offset + bytes - padding))
    }
  }

  // MARK: Reading

  /// Reads bytes of a record into memory of that size, from `start` bytes after its beginning.
  /// Whether they are the right ones their reader must know. Throws `.corruption` where the file ends
  /// before, or is not there.
  ///
  /// Safe: the target is lent for the call, and written to within its bounds.
  func read(
    _ address: PageAddress, from start: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(LugeError) {
    if unsafe try readBuffered(address, from: start, into: target) { return }
    let file = try file(address)
    defer { file.release() }
    do throws(PlatformError) {
      var done = 0
      while done < target.count {
        var rest = unsafe MutableRawSpan(
          _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: target[done..<target.count]))
        let taken = try file.file.read(
          into: &rest, at: Int64(address.offset) + Int64(start) + Int64(done))
        if taken == 0 { break }
        done += taken
      }
      _ = counters.recordsRead.fetchAdd(1)
      _ = counters.bytesRead.fetchAdd(UInt64(done))
      if done == target.count { return }
    } catch {
      throw LugeError(error, doing: "reading a large value")
    }
    throw damage(
      address, "a large value is cut short", expected: "\(target.count) bytes", found: nil)
  }

  private func readBuffered(
    _ address: PageAddress, from start: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(LugeError) -> Bool {
    let raw = address.rawValue
    if raw < hot.unwritten.load() && raw < cold.unwritten.load() { return false }
    try lock.acquire()
    defer { lock.unlock() }
    guard let buffer = hot.buffer(of: address) ?? cold.buffer(of: address) else { return false }
    _ = counters.recordsReadFromBuffers.fetchAdd(1)
    return unsafe buffer.copy(at: address, from: start, into: target)
  }
}
