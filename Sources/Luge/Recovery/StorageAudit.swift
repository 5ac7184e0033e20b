package import Platform

/// What a superblock names, read from the files alone as recovery would: for tools that check on what is
/// on disk while an engine works.
///
/// It reads a copy or a database that nobody writes to, and writes nothing.
package struct StorageAudit {
  /// A superblock, as far as others need to know it.
  package struct Root: Equatable, Sendable {
    let superblock: Superblock
    package var sequence: UInt64 { superblock.sequence }
  }

  /// Everything that recovery from one superblock needs.
  package struct Named: Sendable {
    /// Serials of the page segments, ascending.
    package var pageSegments: [UInt64]
    /// Serials of the value segments, in no order: what images name in them, and redo.
    package var valueSegments: [UInt64]
    /// Where the redo that is there ends.
    package var redoEnd: UInt64
  }

  let platform: PlatformServices
  let directory: String

  package init(platform: PlatformServices, directory: String) {
    self.platform = platform
    self.directory = directory
  }

  package static let superblockName = SuperblockStore.name

  /// The superblock whose first copy these bytes are; nil when they are none.
  package static func root(in bytes: [UInt8]) -> Root? {
    guard bytes.count >= Superblock.copyBytes,
      case .valid(let superblock) = Superblock.decode(Array(bytes[..<Superblock.copyBytes]))
    else { return nil }
    return Root(superblock: superblock)
  }

  /// The superblock that recovery would begin with; nil where there is none that can be read.
  package func newestRoot() -> Root? {
    let store = SuperblockStore(files: platform.files, directory: directory)
    defer { store.close() }
    guard let found = try? store.load() else { return nil }
    return Root(superblock: found)
  }

  /// Reads everything that a superblock names. Throws what recovery would: `.corruption` where
  /// something is missing. Also where redo that an image stands for is: recovery passes over redo below the W of
  /// an image, so a W above the end of the redo would hide the commits that come there next.
  package func named(by root: Root) throws(LugeError) -> Named {
    let superblock = root.superblock
    let values = try PageStore(
      platform: platform, directory: directory, family: .values,
      segmentBytes: Int(superblock.valueSegmentBytes), nextSerial: superblock.nextValueSerial)
    defer { values.close() }
    let looker = ValueAudit(values)
    let end = try scanRedo(superblock, looker)
    var named = Named(pageSegments: [], valueSegments: looker.serials, redoEnd: end)
    guard superblock.directoryAddress != 0 else { return named }
    let pages = try PageStore(
      platform: platform, directory: directory, segmentBytes: Int(superblock.pageSegmentBytes),
      nextSerial: superblock.nextPageSerial)
    defer { pages.close() }
    // The header of the next group is reserved with the end of the last one, and holds no commit.
    let isBlock = end % UInt64(RedoFormat.blockBytes) == 0
    let bound = end + (isBlock ? UInt64(RedoFormat.groupBytes) : 0)
    try readPages(superblock, pages, looker, bound, &named)
    named.pageSegments.sort()
    named.valueSegments = looker.serials
    return named
  }

  /// The serial of a page segment's file; nil for any other file.
  package static func pageSerial(_ path: String) -> UInt64? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return SegmentName.serial(
      SegmentFamily.pages.prefix, String(path[path.index(after: slash)...]))
  }

  /// The serial of a value segment's file; nil for any other file.
  package static func valueSerial(_ path: String) -> UInt64? {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return SegmentName.serial(
      SegmentFamily.values.prefix, String(path[path.index(after: slash)...]))
  }

  /// What of the redo stream the file holds that recovery from `root` reads; nil: nothing.
  package func neededRedo(in path: String, by root: Root) -> Range<UInt64>? {
    guard let end = try? redoEnd(root.superblock),
      let infos = try? RedoSegmentFiles.load(platform.files, directory: directory),
      let header = infos.first(where: { $0.path == path })?.header
    else { return nil }
    let eras = root.superblock.eras
    var index = 0
    while index < eras.count {
      let next = index + 1 < eras.count ? eras[index + 1].start : end
      let first = max(header.base, root.superblock.recoveryLSN, eras[index].start)
      let last = min(header.base + header.payloadBytes, next)
      if header.incarnation == eras[index].incarnation, first < last { return first..<last }
      index += 1
    }
    return nil
  }

  /// Where the redo that is there ends.
  private func redoEnd(_ superblock: Superblock) throws(LugeError) -> UInt64 {
    try scanRedo(superblock, nil)
  }

  /// The same; reads all that it names in value segments.
  private func scanRedo(
    _ superblock: Superblock, _ looker: ValueAudit?
  ) throws(LugeError) -> UInt64 {
    // Nothing is kept of what the scan lends.
    unsafe try RedoScan.run(
      files: platform.files, directory: directory, superblock: superblock
    ) { (lsn, kind, payload) throws(LugeError) in
      // Good for the length of this call.
      unsafe try looker?.look(lsn, kind, payload)
    }.end
  }

  private func readPages(
    _ superblock: Superblock, _ pages: PageStore, _ looker: ValueAudit, _ bound: UInt64,
    _ named: inout Named
  ) throws(LugeError) {
    let root = PagePart(
      address: PageAddress(rawValue: superblock.directoryAddress),
      length: Int(superblock.directoryBytes))
    note(root, &named)
    if superblock.tableAddress != 0 {
      let table = PagePart(
        address: PageAddress(rawValue: superblock.tableAddress),
        length: Int(superblock.tableBytes))
      note(table, &named)
      _ = try pages.read(table, .segmentTable)
    }
    if superblock.valueTableAddress != 0 {
      let table = PagePart(
        address: PageAddress(rawValue: superblock.valueTableAddress),
        length: Int(superblock.valueTableBytes))
      note(table, &named)
      _ = try pages.read(table, .segmentTable)
    }
    guard let list = ChunkList.decodeRoot(try pages.read(root, .directory).payload) else {
      throw damage("the root of the list of chunks", root, pages)
    }
    for record in list {
      note(record, &named)
      guard let entries = ChunkList.decode(try pages.read(record, .directory).payload) else {
        throw damage("the list of chunks", record, pages)
      }
      for entry in entries { try readChunk(entry.image, pages, looker, bound, &named) }
    }
  }

  private func readChunk(
    _ part: PagePart, _ pages: PageStore, _ looker: ValueAudit, _ bound: UInt64,
    _ named: inout Named
  ) throws(LugeError) {
    note(part, &named)
    guard let image = ChunkImage.decode(try pages.read(part, .chunk).payload) else {
      throw damage("the image of a chunk", part, pages)
    }
    for page in image.pages {
      for part in page.parts { note(part, &named) }
      let records = try pages.read(page.parts, .leaf)
      try looker.look(page, records, of: image.tree)
      if page.lsn > bound {
        throw LugeError(
          .corruption, "the redo of an image is not there",
          path: pages.path(page.parts[0].address.serial),
          offset: Int64(page.parts[0].address.offset), expected: "all redo below \(page.lsn)",
          found: "its end at \(named.redoEnd)")
      }
    }
  }

  private func note(_ part: PagePart, _ named: inout Named) {
    let serial = part.address.serial
    if !named.pageSegments.contains(serial) { named.pageSegments.append(serial) }
  }

  private func damage(_ what: String, _ part: PagePart, _ pages: PageStore) -> LugeError {
    LugeError(
      .corruption, "\(what) cannot be decoded", path: pages.path(part.address.serial),
      offset: Int64(part.address.offset))
  }
}
