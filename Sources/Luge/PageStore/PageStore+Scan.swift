import Platform

/// One record that reading a segment from its beginning has met.
struct ScannedRecord {
  let part: PagePart
  let kind: PageKind
  let payload: [UInt8]
}

/// What a scan of a segment came by.
struct SegmentScan {
  var records = 0
  var bytesRead = 0
}

extension PageStore {
  /// Below what allocators give back to the system at once: one that has seen a larger one freed keeps as
  /// much for each thread.
  private static let windowBytes = 64 << 10

  /// Reads a segment that nobody appends to any more and hands every good record in it to `visit`, in
  /// the order of addresses. Where no good record begins, the next block is tried: records begin
  /// afresh there after a sync. Bytes that are damaged are passed over; whoever needs the record that
  /// they were meets the damage.
  ///
  /// Safe: whole arrays are handed around, and all unsafe code is in what they are decoded with.
  func scan(
    _ serial: UInt64, _ visit: (ScannedRecord) throws(LugeError) -> Void
  ) throws(LugeError) -> SegmentScan {
    let file = try file(PageAddress(serial: serial, offset: 0))
    defer { file.release() }
    var result = SegmentScan()
    var window: [UInt8] = []
    var start = PageFormat.blockBytes
    var offset = start
    func load(_ count: Int) throws(LugeError) -> Bool {
      if offset + count <= start + window.count { return true }
      // Its memory goes before the next one's comes.
      window = []
      do throws(PlatformError) {
        window = try file.file.readAvailable(
          at: Int64(offset), count: max(count, PageStore.windowBytes))
      } catch {
        throw LugeError(error, doing: "reading a \(family.name) segment")
      }
      start = offset
      result.bytesRead += window.count
      return count <= window.count
    }
    while try load(PageFormat.recordHeaderBytes) {
      let address = PageAddress(serial: serial, offset: offset)
      let head = Array(window[(offset - start)..<(offset - start + PageFormat.recordHeaderBytes)])
      if let header = PageFormat.RecordHeader(head), header.address == address.rawValue,
        Int(header.length) <= min(largestPayload, segmentBytes),
        let kind = PageKind(rawValue: header.kind),
        header.version <= PageFormat.version,
        try load(PageFormat.recordHeaderBytes + Int(header.length)),
        PageFormat.recordChecksum(window, from: offset - start, payload: Int(header.length))
          == header.checksum
      {
        let first = offset - start + PageFormat.recordHeaderBytes
        let part = PagePart(address: address, length: Int(header.length))
        result.records += 1
        try visit(
          ScannedRecord(
            part: part, kind: kind, payload: Array(window[first..<first + part.length])))
        offset += part.bytes
      } else {
        offset = (offset / PageFormat.blockBytes + 1) * PageFormat.blockBytes
      }
    }
    return result
  }
}
