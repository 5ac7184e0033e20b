import Platform

/// The page segments: records appended by the checkpoint, read by address.
///
/// Orders and invariants:
/// - An address is never used twice: each opening begins a new segment above every serial seen.
/// - Nothing appended counts before `sync()` has returned, and then a superblock names it. `sync()` writes the
///   buffer, syncs every file written to since the last one, then the directory where a file was
///   made since.
/// - A synced block is never written again: what follows a sync begins at a fresh block.
/// - What `append` answered stays readable: an evicted page has no other copy in memory. So the buffer is kept
///   when a write fails, and written again later, at the same place; an `append` that fails took
///   nothing. After a failed sync everything is refused for good but reads.
/// - `lock` guards all state; it is held during I/O, which is the checkpoint's and the opener's.
final class PageStore: @unchecked Sendable {
  private static let bufferBytes = 256 << 10

  private let files: any FileSystem
  private let directory: String
  private let segmentBytes: Int
  private let lock: Lock

  /// Serial -> bytes of the file, in the order of serials. Files made and not removed.
  private var sizes: [(serial: UInt64, bytes: Int)] = []
  private var nextSerial: UInt64

  /// The segment being appended to; nil before the first append and after a failed write.
  private var current: (serial: UInt64, file: any File)?
  /// Bytes of the current segment handed to the file system.
  private var written = 0
  /// Bytes of the current segment that a good sync covers.
  private var synced = 0
  private var buffer = ByteWriter()

  private var unsynced: [any File] = []
  private var directoryIsUnsynced = false
  private var failure: LugeError?
  /// The last file read from.
  private var reading: (serial: UInt64, file: any File)?

  /// Finds the segments of a directory. Changes nothing.
  ///
  /// - Parameters:
  ///   - segmentBytes: the size at which a segment is full, with its header: above 8 KiB, at most 2^31.
  ///   - nextSerial: of the superblock; no lower serial is ever given to a new segment.
  init(
    platform: PlatformServices, directory: String, segmentBytes: Int, nextSerial: UInt64
  ) throws(LugeError) {
    guard segmentBytes >= 2 * PageFormat.blockBytes, segmentBytes <= 1 << 31 else {
      throw LugeError(
        .invalidArgument, "a page segment must have 8 KiB to 2 GiB", found: "\(segmentBytes)")
    }
    files = platform.files
    self.directory = directory
    self.segmentBytes = segmentBytes
    lock = Lock(threads: platform.threads)
    self.nextSerial = max(nextSerial, 1)
    do throws(PlatformError) {
      for name in try files.list(directory) {
        guard let serial = SegmentName.serial(PageFormat.prefix, name) else { continue }
        let status = try files.status("\(directory)/\(name)")
        sizes.append((serial, Int(clamping: status?.size ?? 0)))
        if serial >= self.nextSerial, serial < 1 << 32 { self.nextSerial = serial + 1 }
      }
    } catch {
      throw LugeError(error, doing: "listing the page segments")
    }
    sizes.sort { $0.serial < $1.serial }
  }

  /// The largest payload that `append` takes, in bytes.
  var largestPayload: Int {
    segmentBytes - PageFormat.blockBytes - PageFormat.recordHeaderBytes - 8
  }

  // MARK: Appending

  /// Appends a record and returns its address. It is readable at once, and durable after the next
  /// good `sync()`. When it throws, nothing was appended.
  func append(_ kind: PageKind, _ payload: [UInt8]) throws(LugeError) -> PageAddress {
    try locking()
    defer { lock.unlock() }
    try checkUsable()
    guard payload.count <= largestPayload else {
      throw LugeError(
        .tooLarge, "a page does not fit into a page segment",
        expected: "at most \(largestPayload) bytes", found: "\(payload.count)")
    }
    let bytes = PageFormat.recordBytes(payload: payload.count)
    // Before the record is there: the buffer is bounded however long writes fail.
    if buffer.count > 0, buffer.count + bytes > Self.bufferBytes { try writeBuffer() }
    if current != nil, written + buffer.count + bytes > segmentBytes {
      try writeBuffer()
      // Its file stays in `unsynced` until the next sync, which closes it.
      if synced == written { current?.file.close() }
      forgetSegment()
      probe("page.segmentRolled")
    }
    if current == nil { try beginSegment() }
    guard let current else { preconditionFailure("a segment was just begun") }
    let address = PageAddress(serial: current.serial, offset: written + buffer.count)
    PageFormat.append(kind, payload, at: address, to: &buffer)
    return address
  }

  private func beginSegment() throws(LugeError) {
    guard nextSerial < 1 << 32 else {
      throw LugeError(.resourceExhausted, "all serials of page segments are used up")
    }
    let serial = nextSerial
    nextSerial += 1
    do throws(PlatformError) {
      try faultPoint("page.newSegment")
      let file = try files.open(path(serial), .createNew)
      sizes.append((serial, 0))
      directoryIsUnsynced = true
      current = (serial, file)
      written = 0
      synced = 0
      buffer.removeAll()
      buffer.write(PageFormat.segmentHeader(serial: serial))
    } catch {
      throw LugeError(error, doing: "making a page segment")
    }
  }

  /// Hands the buffer to the file system. On failure it is kept, to be written again.
  private func writeBuffer() throws(LugeError) {
    guard let current, buffer.count > 0 else { return }
    do throws(PlatformError) {
      try faultPoint("page.write")
      if !unsynced.contains(where: { $0 === current.file }) { unsynced.append(current.file) }
      try current.file.writeFully(buffer.bytes, at: Int64(written))
    } catch {
      throw LugeError(error, doing: "writing pages")
    }
    written += buffer.count
    buffer.removeAll()
    noteSize(current.serial, written)
  }

  private func noteSize(_ serial: UInt64, _ bytes: Int) {
    if let index = sizes.lastIndex(where: { $0.serial == serial }) { sizes[index].bytes = bytes }
  }

  private func forgetSegment() {
    current = nil
    written = 0
    synced = 0
    buffer.removeAll()
  }

  /// Makes all that was appended durable, and the names of its files.
  func sync() throws(LugeError) {
    try locking()
    defer { lock.unlock() }
    try checkUsable()
    try writeBuffer()
    do throws(PlatformError) {
      try faultPoint("page.sync")
      for file in unsynced { try file.syncAll() }
      if directoryIsUnsynced { try files.syncDirectory(directory) }
    } catch {
      let final = LugeError(error, doing: "syncing pages")
      failure = final
      throw final
    }
    for file in unsynced where file !== current?.file { file.close() }
    unsynced.removeAll()
    directoryIsUnsynced = false
    let block = PageFormat.blockBytes
    written = (written + block - 1) / block * block
    synced = written
  }

  /// Whether a sync has failed: nothing is appended any more.
  var hasFailed: Bool { failure != nil }

  private func checkUsable() throws(LugeError) {
    guard let failure else { return }
    if failure.code == .killed { throw failure }
    throw LugeError(
      .failed, "an earlier failure is final: \(failure.message)", path: failure.path,
      underlying: failure.underlying)
  }

  // MARK: Reading

  /// The payload of the record at an address. Throws `.corruption` where what lies there is not a
  /// record of this kind that was written for this address.
  func read(_ address: PageAddress, _ kind: PageKind) throws(LugeError) -> [UInt8] {
    try locking()
    defer { lock.unlock() }
    let isBuffered = current?.serial == address.serial && address.offset >= written
    let file = isBuffered ? nil : try opened(address)
    let limit = segmentBytes
    let head = try readBytes(file, at: address.offset, count: PageFormat.recordHeaderBytes)
    guard let header = PageFormat.RecordHeader(head),
      PageFormat.recordBytes(payload: Int(header.length)) <= limit - PageFormat.blockBytes,
      header.address == address.rawValue
    else {
      throw damage(
        address, "no record begins here", expected: "address \(address.rawValue)",
        found: PageFormat.RecordHeader(head).map { "address \($0.address)" }
          ?? "the end of the file")
    }
    let rest = try readBytes(
      file, at: address.offset + head.count, count: Int(header.length))
    let record = head + rest
    guard rest.count == Int(header.length),
      PageFormat.recordChecksum(record, from: 0, payload: rest.count) == header.checksum
    else { throw damage(address, "the checksum of a page is wrong", expected: nil, found: nil) }
    guard header.version <= PageFormat.version else {
      throw LugeError(
        .unsupportedVersion, "a page was written by a newer version", path: path(address.serial),
        offset: Int64(address.offset), found: "\(header.version)")
    }
    guard header.kind == kind.rawValue else {
      throw damage(
        address, "a page is of another kind", expected: "\(kind.rawValue)",
        found: "\(header.kind)")
    }
    return rest
  }

  /// Up to `count` bytes; fewer where the file ends. No file: of the buffer.
  private func readBytes(
    _ file: (any File)?, at offset: Int, count: Int
  ) throws(LugeError) -> [UInt8] {
    guard let file else {
      let start = min(offset - written, buffer.count)
      return Array(buffer.bytes[start..<min(start + count, buffer.count)])
    }
    var bytes = [UInt8](repeating: 0, count: count)
    do {
      let done = try file.readAvailable(at: Int64(offset), into: &bytes)
      if done < count { bytes.removeLast(count - done) }
    } catch {
      throw LugeError(error, doing: "reading a page")
    }
    return bytes
  }

  private func opened(_ address: PageAddress) throws(LugeError) -> any File {
    let serial = address.serial
    if let current, current.serial == serial { return current.file }
    if let reading, reading.serial == serial { return reading.file }
    guard sizes.contains(where: { $0.serial == serial }) else {
      throw damage(address, "a page segment is missing", expected: path(serial), found: "nothing")
    }
    reading?.file.close()
    reading = nil
    let file: any File
    do {
      file = try files.open(path(serial), .read)
    } catch {
      throw LugeError(error, doing: "opening a page segment")
    }
    try checkHeader(file, serial: serial)
    reading = (serial, file)
    return file
  }

  /// One good copy will do.
  private func checkHeader(_ file: any File, serial: UInt64) throws(LugeError) {
    for offset in PageFormat.copyOffsets {
      let bytes = try readBytes(file, at: offset, count: PageFormat.segmentHeaderBytes)
      switch PageFormat.decodeSegmentHeader(bytes) {
      case .valid(let found) where found == serial: return
      case .newer(let version):
        throw LugeError(
          .unsupportedVersion, "a page segment was written by a newer version",
          path: path(serial), expected: "at most \(PageFormat.segmentVersion)",
          found: "\(version)")
      case .valid, .bad: continue
      }
    }
    throw LugeError(
      .corruption, "the header of a page segment is unreadable", path: path(serial), offset: 0)
  }

  private func damage(
    _ address: PageAddress, _ message: String, expected: String?, found: String?
  ) -> LugeError {
    LugeError(
      .corruption, message, path: path(address.serial), offset: Int64(address.offset),
      expected: expected, found: found)
  }

  // MARK: Segments

  /// Removes every segment below `limit` that is not in `live` and is not being appended to. Call it when a superblock
  /// that names only live ones is durable. Returns how many went; one that cannot go now is tried again.
  ///
  /// - Parameter live: serials in ascending order.
  @discardableResult
  func removeSegments(notIn live: [UInt64], below limit: UInt64 = .max) throws(LugeError) -> Int {
    try locking()
    defer { lock.unlock() }
    var kept: [(serial: UInt64, bytes: Int)] = []
    var removed = 0
    var index = 0
    while index < sizes.count {
      let entry = sizes[index]
      index += 1
      if Self.contains(live, entry.serial) || entry.serial == current?.serial
        || entry.serial >= limit
      {
        kept.append(entry)
        continue
      }
      if reading?.serial == entry.serial {
        reading?.file.close()
        reading = nil
      }
      do {
        try files.remove(path(entry.serial))
        removed += 1
        probe("page.segmentRemoved")
      } catch {
        if error.code == .killed { throw LugeError(error, doing: "removing a page segment") }
        if error.code != .notFound { kept.append(entry) }
      }
    }
    sizes = kept
    return removed
  }

  private static func contains(_ sorted: [UInt64], _ serial: UInt64) -> Bool {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < serial { low = middle + 1 } else { high = middle }
    }
    return low < sorted.count && sorted[low] == serial
  }

  /// Serial and bytes of every segment file, in the order of serials.
  func segmentSizes() throws(LugeError) -> [(serial: UInt64, bytes: Int)] {
    try locking()
    defer { lock.unlock() }
    return sizes
  }

  /// For the superblock: new segments get this serial or a higher one.
  func nextSegmentSerial() throws(LugeError) -> UInt64 {
    try locking()
    defer { lock.unlock() }
    return nextSerial
  }

  /// Closes files; what was not synced is void.
  func close() {
    guard (try? lock.lock()) != nil else { return }
    defer { lock.unlock() }
    for file in unsynced { file.close() }
    current?.file.close()
    reading?.file.close()
    unsynced.removeAll()
    forgetSegment()
    reading = nil
  }

  /// Where the segment of a serial is, for messages too.
  func path(_ serial: UInt64) -> String {
    "\(directory)/\(SegmentName.make(PageFormat.prefix, serial))"
  }

  private func locking() throws(LugeError) {
    do { try lock.lock() } catch {
      throw LugeError(error, doing: "waiting for the page segments")
    }
  }
}
