import Platform

extension PageStore {
  /// Reads records, in one round where they are not in memory. Throws `.corruption` where what lies
  /// at an address is not a record of this kind and length that was written for that address.
  ///
  /// Waits for the device and for no lock that is held during I/O. A record may be read while others
  /// are appended, and while its segment is not written yet.
  func read(_ parts: [PagePart], _ kind: PageKind) throws(LugeError) -> [PageRecord] {
    var found: [[UInt8]] = []
    found.reserveCapacity(parts.count)
    var requests: [FileRead] = []
    var uses: [SegmentFile] = []
    defer { for file in uses { file.release() } }
    let isDirect = readsDirectly.loadRelaxed() != 0
    var index = 0
    while index < parts.count {
      let part = parts[index]
      guard part.length >= 0, part.length <= largestPayload else {
        throw damage(
          part.address, "a \(family.name) of a length that cannot be", expected: nil,
          found: "\(part.length)")
      }
      let count = PageFormat.recordHeaderBytes + part.length
      if let bytes = try buffered(part.address, count: count) {
        found.append(bytes)
      } else {
        let file = try file(part.address)
        uses.append(file)
        requests.append(
          FileRead(
            file.file, at: Int64(part.address.offset), length: count, isDirect: isDirect))
        found.append([])
      }
      index += 1
    }
    if !requests.isEmpty { try readRound(requests, into: &found, parts) }
    var records: [PageRecord] = []
    records.reserveCapacity(parts.count)
    index = 0
    while index < parts.count {
      records.append(try check(found[index], parts[index].address, kind, parts[index].length))
      index += 1
    }
    return records
  }

  /// One record.
  func read(_ part: PagePart, _ kind: PageKind) throws(LugeError) -> PageRecord {
    try read([part], kind)[0]
  }

  /// The payload of a record whose length is not known: two reads.
  func read(_ address: PageAddress, _ kind: PageKind) throws(LugeError) -> [UInt8] {
    let head = try readBytes(address, count: PageFormat.recordHeaderBytes)
    let length = try checkHeader(head, address).length
    return try read(PagePart(address: address, length: Int(length)), kind).payload
  }

  /// Throws `.corruption` where the header of a record is not the one of this record.
  func checkRecord(_ part: PagePart, _ kind: PageKind) throws(LugeError) {
    let head = try readBytes(part.address, count: PageFormat.recordHeaderBytes)
    let header = try checkHeader(head, part.address)
    guard Int(header.length) == part.length, header.kind == kind.rawValue else {
      throw damage(
        part.address, "a record is of another kind or length",
        expected: "\(kind.rawValue), \(part.length) bytes",
        found: "\(header.kind), \(header.length) bytes")
    }
  }

  private func readBytes(_ address: PageAddress, count: Int) throws(LugeError) -> [UInt8] {
    if let bytes = try buffered(address, count: count) { return bytes }
    let file = try file(address)
    defer { file.release() }
    do throws(PlatformError) {
      return try file.file.readAvailable(at: Int64(address.offset), count: count)
    } catch {
      throw LugeError(error, doing: "reading a \(family.name)")
    }
  }

  private func readRound(
    _ requests: [FileRead], into found: inout [[UInt8]], _ parts: [PagePart]
  ) throws(LugeError) {
    let results: [[UInt8]]
    do throws(PlatformError) { results = try files.read(requests) } catch {
      throw LugeError(error, doing: "reading \(family.name)s")
    }
    var next = 0
    var index = 0
    var bytes = 0
    while index < parts.count {
      if found[index].isEmpty {
        found[index] = results[next]
        bytes += results[next].count
        next += 1
      }
      index += 1
    }
    _ = counters.readRounds.fetchAdd(1)
    _ = counters.recordsRead.fetchAdd(UInt64(requests.count))
    _ = counters.bytesRead.fetchAdd(UInt64(bytes))
  }

  /// The bytes of a record that may not be in its file yet; nil when it is.
  private func buffered(_ address: PageAddress, count: Int) throws(LugeError) -> [UInt8]? {
    let raw = address.rawValue
    if raw < hot.unwritten.load() && raw < cold.unwritten.load() { return nil }
    try lock.acquire()
    defer { lock.unlock() }
    guard let buffer = hot.buffer(of: address) ?? cold.buffer(of: address) else { return nil }
    _ = counters.recordsReadFromBuffers.fetchAdd(1)
    return buffer.bytes(at: address, count: count)
  }

  // MARK: Files

  /// The open file of an address's segment; the caller gives its use back.
  func file(_ address: PageAddress) throws(LugeError) -> SegmentFile {
    let serial = address.serial
    if let open = try openFiles.find(serial) { return open }
    let file: any File
    do throws(PlatformError) { file = try files.open(path(serial), .read) } catch {
      if error.code == .notFound {
        throw damage(
          address, "a \(family.name) segment is missing", expected: path(serial), found: "nothing")
      }
      throw LugeError(error, doing: "opening a \(family.name) segment")
    }
    do throws(LugeError) { try checkSegmentHeader(file, serial: serial) } catch {
      file.close()
      throw error
    }
    let opened = SegmentFile(serial: serial, file: file)
    try openFiles.add(opened)
    return opened
  }

  /// One good copy will do.
  private func checkSegmentHeader(_ file: any File, serial: UInt64) throws(LugeError) {
    var failure: LugeError?
    for offset in PageFormat.copyOffsets {
      let bytes: [UInt8]
      do throws(PlatformError) {
        bytes = try file.readAvailable(at: Int64(offset), count: PageFormat.segmentHeaderBytes)
      } catch {
        let reason = LugeError(error, doing: "reading the header of a \(family.name) segment")
        if error.code != .inputOutput { throw reason }
        failure = reason
        continue
      }
      switch PageFormat.decodeSegmentHeader(bytes, family) {
      case .valid(let found) where found == serial: return
      case .newer(let version):
        throw LugeError(
          .unsupportedVersion, "a \(family.name) segment was written by a newer version",
          path: path(serial), expected: "at most \(PageFormat.segmentVersion)",
          found: "\(version)")
      case .valid, .bad: continue
      }
    }
    if let failure { throw failure }
    throw damage(
      PageAddress(serial: serial, offset: 0),
      "the header of a \(family.name) segment is unreadable",
      expected: nil, found: nil)
  }

  // MARK: Checks

  private func check(
    _ record: [UInt8], _ address: PageAddress, _ kind: PageKind, _ length: Int
  ) throws(LugeError) -> PageRecord {
    let header = try checkHeader(record, address)
    guard Int(header.length) == length else {
      throw damage(
        address, "a page has another length", expected: "\(length)", found: "\(header.length)")
    }
    guard record.count == PageFormat.recordHeaderBytes + length,
      PageFormat.recordChecksum(record, from: 0, payload: length) == header.checksum
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
    return PageRecord(bytes: record, payloadCount: length)
  }

  private func checkHeader(
    _ head: [UInt8], _ address: PageAddress
  ) throws(LugeError) -> PageFormat.RecordHeader {
    guard let header = PageFormat.RecordHeader(head),
      Int(header.length) <= largestPayload,
      header.address == address.rawValue
    else {
      throw damage(
        address, "no record begins here", expected: "address \(address.rawValue)",
        found: PageFormat.RecordHeader(head).map { "address \($0.address)" }
          ?? "the end of the file")
    }
    return header
  }

  func damage(
    _ address: PageAddress, _ message: String, expected: String?, found: String?
  ) -> LugeError {
    // What a failed sync did not write looks like damage.
    if let failure = failureCell.error { return Self.refusal(failure) }
    return LugeError(
      .corruption, message, path: path(address.serial), offset: Int64(address.offset),
      expected: expected, found: found)
  }
}
