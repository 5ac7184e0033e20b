package import Platform

/// What lies where in the files of a database that nobody writes to: for tools that damage it byte by byte, and
/// have to say why a damage did no harm.
///
/// Bytes that no region covers belong to nothing.
package struct StorageMap {
  /// Who needs the bytes of a region.
  package enum Use: Sendable {
    /// Everybody: damage must be reported.
    case needed
    /// Everybody, but after a kill they may be taken for a torn tail.
    case tail
    /// There is another copy of them.
    case copied
  }

  package struct Region: Sendable {
    package var path: String
    package var offset: Int
    package var count: Int
    package var kind: String
    package var use: Use
    /// Where in it the CRC-32C of all its other bytes lies; nil: it has none of its own, or is a part of what
    /// has one.
    package var checksumAt: Int?
    /// What that checksum begins with.
    package var checksumSeed: UInt32
  }

  package private(set) var regions: [Region] = []
  private let platform: PlatformServices
  private let directory: String

  /// Reads the files as an opening would. Throws `.corruption` where it finds damage.
  package init(platform: PlatformServices, directory: String) throws(LugeError) {
    self.platform = platform
    self.directory = directory
    let store = SuperblockStore(files: platform.files, directory: directory)
    defer { store.close() }
    guard let superblock = try store.load() else {
      throw LugeError(.notFound, "the directory holds no database", path: directory)
    }
    noteSuperblocks(store.path)
    let values = try PageStore(
      platform: platform, directory: directory, family: .values,
      segmentBytes: Int(superblock.valueSegmentBytes), nextSerial: superblock.nextValueSerial)
    defer { values.close() }
    let pages = try PageStore(
      platform: platform, directory: directory, segmentBytes: Int(superblock.pageSegmentBytes),
      nextSerial: superblock.nextPageSerial)
    defer { pages.close() }
    try noteHeaders(superblock)
    try noteRedo(superblock, values)
    try notePages(superblock, pages, values)
    regions.sort { left, right in
      left.path != right.path ? left.path < right.path : left.offset < right.offset
    }
    removeRepeated()
  }

  /// Every kind of record and copy that a region may be of.
  package static let kinds: [String] = [
    "superblock", "redo header", "redo pad", "redo group", "redo commit", "redo identifiers",
    "redo commit apart", "page header", "leaf base, plain", "leaf base, LZ4",
    "leaf base, Zstandard", "leaf fragment, plain", "list root", "list entries", "chunk",
    "table of pages", "table of values", "value header", "value", "commit record",
  ]

  // MARK: Files

  private mutating func noteSuperblocks(_ path: String) {
    for slot in 0..<2 {
      for copy in 0..<2 {
        note(
          path, slot * SuperblockStore.slotBytes + copy * Superblock.copyBytes,
          Superblock.copyBytes, "superblock", .copied, checksumAt: 8)
      }
    }
  }

  /// Two copies at the head of every segment file.
  private mutating func noteHeaders(_ superblock: Superblock) throws(LugeError) {
    let names: [String]
    do throws(PlatformError) { names = try platform.files.list(directory) } catch {
      throw LugeError(error, doing: "listing the database directory")
    }
    for name in names {
      let path = "\(directory)/\(name)"
      for offset in PageFormat.copyOffsets {
        if name.hasPrefix(SegmentFamily.pages.prefix) {
          note(
            path, offset, PageFormat.segmentHeaderBytes, "page header", .copied, checksumAt: 12)
        } else if name.hasPrefix(SegmentFamily.values.prefix) {
          note(
            path, offset, PageFormat.segmentHeaderBytes, "value header", .copied, checksumAt: 12)
        } else if name.hasPrefix("redo-") {
          note(path, offset, RedoSegmentHeader.bytes, "redo header", .copied, checksumAt: 12)
        }
      }
    }
  }

  mutating func note(
    _ path: String, _ offset: Int, _ count: Int, _ kind: String, _ use: Use,
    checksumAt: Int? = nil, seed: UInt32 = 0
  ) {
    regions.append(
      Region(
        path: path, offset: offset, count: count, kind: kind, use: use, checksumAt: checksumAt,
        checksumSeed: seed))
  }

  /// A record of a segment; what fills it up to a multiple of eight belongs to nothing.
  mutating func note(_ part: PagePart, of store: PageStore, _ kind: String) {
    note(
      store.path(part.address.serial), part.address.offset,
      PageFormat.recordHeaderBytes + part.length, kind, .needed, checksumAt: 8)
  }

  /// Redo and image may name the same record.
  private mutating func removeRepeated() {
    var kept: [Region] = []
    for region in regions {
      if let last = kept.last, last.path == region.path, last.offset == region.offset { continue }
      kept.append(region)
    }
    regions = kept
  }

  // MARK: Redo

  private mutating func noteRedo(
    _ superblock: Superblock, _ values: PageStore
  ) throws(LugeError) {
    var named: [(kind: String, part: PagePart)] = []
    // Nothing is kept of what the scan lends.
    let scan = unsafe try RedoScan.run(
      files: platform.files, directory: directory, superblock: superblock
    ) { (lsn, kind, payload) throws(LugeError) in
      unsafe try Self.parts(lsn, kind, payload, values, &named)
    }
    for record in named { note(record.part, of: values, record.kind) }
    var position = superblock.recoveryLSN
    var index = 0
    while index < superblock.eras.count {
      let next = index + 1 < superblock.eras.count ? superblock.eras[index + 1].start : UInt64.max
      if next > position {
        let tail = index + 1 == superblock.eras.count ? scan.lastGroup : .max
        try notePieces(superblock.eras[index], until: next, tail: tail, scan.segments, &position)
      }
      index += 1
    }
  }

  private mutating func notePieces(
    _ era: RedoEra, until end: UInt64, tail: UInt64, _ segments: [RedoSegmentInfo],
    _ position: inout UInt64
  ) throws(LugeError) {
    let reader = try EraReader(platform.files, segments, era, until: end, from: position)
    defer { reader.close() }
    while position < end, let piece = unsafe try reader.piece(at: position) {
      let header = unsafe piece.header
      let isPad = header.kind == RedoKind.pad.rawValue
      let count = isPad ? UInt64(RedoFormat.headerBytes) : UInt64(header.length)
      let kind =
        switch RedoKind(rawValue: header.kind) {
        case .pad, nil: "redo pad"
        case .group: "redo group"
        case .commit: "redo commit"
        case .identifiers: "redo identifiers"
        case .commitApart: "redo commit apart"
        }
      for part in reader.parts {
        let first = max(part.base, position)
        let last = min(part.end, position + count)
        if first >= last { continue }
        let offset = RedoSegmentHeader.blockBytes + Int(first - part.base)
        note(
          part.path, offset, Int(last - first), kind, position >= tail ? .tail : .needed,
          checksumAt: last - first == count ? 4 : nil,
          seed: RedoFormat.checksumSeed(incarnation: era.incarnation))
      }
      position += UInt64(header.length)
    }
  }

  /// What a piece of the redo names in value segments.
  ///
  /// Safe: the payload is lent for the call.
  private static func parts(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer, _ values: PageStore,
    _ named: inout [(kind: String, part: PagePart)]
  ) throws(LugeError) {
    if kind == .commitApart {
      guard let reference = unsafe ValueReference(payload) else { return }
      named.append(("commit record", reference.commitPart))
      let record = try values.read(reference.commitPart, .commit)
      // The record outlives the closure.
      unsafe try record.withPayload { (payload) throws(LugeError) in
        unsafe try Self.parts(lsn, .commit, payload, values, &named)
      }
      return
    }
    if kind != .commit { return }
    var found: [PagePart] = []
    unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      if let reference = unsafe operation.reference {
        found.append(reference.part(key: unsafe operation.key.count))
      }
    }
    for part in found { named.append(("value", part)) }
  }

  // MARK: Pages

  private mutating func notePages(
    _ superblock: Superblock, _ pages: PageStore, _ values: PageStore
  ) throws(LugeError) {
    func part(_ address: UInt64, _ length: UInt64) -> PagePart {
      PagePart(address: PageAddress(rawValue: address), length: Int(clamping: length))
    }
    guard superblock.directoryAddress != 0 else { return }
    note(part(superblock.tableAddress, superblock.tableBytes), of: pages, "table of pages")
    note(
      part(superblock.valueTableAddress, superblock.valueTableBytes), of: pages, "table of values")
    let root = part(superblock.directoryAddress, superblock.directoryBytes)
    note(root, of: pages, "list root")
    for record in ChunkList.decodeRoot(try pages.read(root, .directory).payload) ?? [] {
      note(record, of: pages, "list entries")
      for entry in ChunkList.decode(try pages.read(record, .directory).payload) ?? [] {
        note(entry.image, of: pages, "chunk")
        let image = ChunkImage.decode(try pages.read(entry.image, .chunk).payload)
        for page in image?.pages ?? [] {
          try notePage(page, of: image?.tree ?? 0, pages, values)
        }
      }
    }
  }

  private mutating func notePage(
    _ page: ChunkPage, of tree: UInt64, _ pages: PageStore, _ values: PageStore
  ) throws(LugeError) {
    let records = try pages.read(page.parts, .leaf)
    var index = 0
    while index < records.count {
      // The second byte says what the part is; every image has one.
      let flags = records[index].payload.dropFirst().first ?? 0
      let form = flags & 1 == 1 ? "fragment" : "base"
      let codec = ["plain", "LZ4", "Zstandard", "unknown"][Int(flags >> 2 & 3)]
      note(page.parts[index], of: pages, "leaf \(form), \(codec)")
      index += 1
    }
    for value in try page.decode(records, of: tree, CodecContexts()).values {
      note(value.part, of: values, "value")
    }
  }
}
