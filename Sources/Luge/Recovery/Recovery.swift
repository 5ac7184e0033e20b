import Platform

/// Rebuilds the trees: the chunks that the superblock's list names, which stay on disk until they are
/// needed, then the redo from R in LSN order. What it writes no superblock names, so it may be run
/// again after any crash and gives the same.
///
/// Why replay in one pass is right: a leaf's image holds every commit below its W, so a commit below W is
/// skipped; commits are absolute puts and removals, so one at or above W that the image happens
/// to hold is harmless. Commits on a tree that the catalogue no longer has at the end are replayed into a
/// tree that is then thrown away: tree ids are never used again.
final class Recovery {
  struct State {
    var catalogueTree: BLinkTree
    var defaultTree: BLinkTree
    var named: [(name: String, tree: BLinkTree)]
    var nextTreeID: UInt64
    var identifiersReserved: UInt64
    /// Of the list of chunks, and of the segment tables.
    var records: [PagePart]
  }

  /// Images of chunks that are read side by side.
  private static let chunksARound = 32

  private let platform: PlatformServices
  private let directoryPath: String
  private let superblock: Superblock
  private let pages: PageStore
  private let context: TreeContext
  /// In order of ids.
  private var trees: [BLinkTree] = []
  private var nextTreeID: UInt64
  private var identifiersReserved: UInt64

  init(
    platform: PlatformServices, directory: String, superblock: Superblock, pages: PageStore,
    context: TreeContext
  ) {
    self.platform = platform
    directoryPath = directory
    self.superblock = superblock
    self.pages = pages
    self.context = context
    nextTreeID = superblock.nextTreeID
    identifiersReserved = superblock.idsReserved
  }

  /// `expectedStart`: where the new log begins, after the end that an earlier look at the redo found.
  func run(expectedStart: UInt64) throws(LugeError) -> State {
    let (list, records) = try readList()
    try makeTrees(list)
    _ = try tree(Catalogue.catalogueID)
    _ = try tree(Catalogue.defaultID)
    let end = try replay()
    context.replayLSN.store(0)
    if RedoFormat.startLSN(afterEnd: end) != expectedStart {
      throw LugeError(
        .corruption, "the redo log read twice ends at two places", path: directoryPath,
        expected: "\(expectedStart)", found: "\(end)")
    }
    let named = try namedTrees()
    try dropUnnamed(named)
    return State(
      catalogueTree: try tree(Catalogue.catalogueID), defaultTree: try tree(Catalogue.defaultID),
      named: named, nextTreeID: nextTreeID, identifiersReserved: identifiersReserved,
      records: records)
  }

  /// After an error: nothing else owns the trees.
  func destroyTrees() {
    for tree in trees { try? tree.destroy() }
    trees = []
  }

  private func tree(_ id: UInt64) throws(LugeError) -> BLinkTree {
    let place = place(of: id)
    if place < trees.count && trees[place].id == id { return trees[place] }
    guard id < Superblock.largestCounter else {
      throw LugeError(
        .corruption, "the redo log or the catalogue names a tree by no valid id",
        path: directoryPath, found: "\(id)")
    }
    let created = try BLinkTree(id: id, context: context)
    add(created)
    return created
  }

  private func add(_ tree: BLinkTree) {
    trees.insert(tree, at: place(of: tree.id))
    // An id at the end of the range comes of bytes that no engine wrote.
    if tree.id >= nextTreeID { nextTreeID = tree.id &+ 1 }
  }

  /// How many trees have lower ids.
  private func place(of id: UInt64) -> Int {
    var low = 0
    var high = trees.count
    while low < high {
      let middle = (low + high) / 2
      if trees[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Images

  /// The list of chunks, and what it takes: the records that it and the segment table are in.
  private func readList() throws(LugeError) -> (list: [ChunkEntry], records: [PagePart]) {
    let root = part(superblock.directoryAddress, superblock.directoryBytes)
    guard let root else { return ([], []) }
    let payload = try pages.read(root, .directory).payload
    guard let parts = ChunkList.decodeRoot(payload) else {
      throw damage("the root of the list of chunks cannot be decoded", root.address)
    }
    var list: [ChunkEntry] = []
    var index = 0
    for record in try pages.read(parts, .directory) {
      guard let entries = ChunkList.decode(record.payload),
        isInOrder(list.last, entries.first)
      else { throw damage("a part of the list of chunks cannot be decoded", parts[index].address) }
      list.append(contentsOf: entries)
      index += 1
    }
    let records = parts + valueTableRecord() + tableRecord() + [root]
    try adoptTable(list, records)
    return (list, records)
  }

  private func isInOrder(_ last: ChunkEntry?, _ next: ChunkEntry?) -> Bool {
    guard let last, let next else { return true }
    if last.tree != next.tree { return last.tree < next.tree }
    return compareKeys(last.low, next.low) < 0
  }

  private func part(_ address: UInt64, _ length: UInt64) -> PagePart? {
    address == 0
      ? nil : PagePart(address: PageAddress(rawValue: address), length: Int(clamping: length))
  }

  private func tableRecord() -> [PagePart] {
    part(superblock.tableAddress, superblock.tableBytes).map { record in [record] } ?? []
  }

  private func valueTableRecord() -> [PagePart] {
    part(superblock.valueTableAddress, superblock.valueTableBytes).map { record in [record] } ?? []
  }

  /// What is live in each segment. The table that a checkpoint wrote while others evicted or moved
  /// pages may count too much; only the last one before a close is known to be exact. Else what the
  /// chunks name is counted: reading their images costs little, some kilobytes for hundreds of pages.
  private func adoptTable(_ list: [ChunkEntry], _ records: [PagePart]) throws(LugeError) {
    guard let record = tableRecord().first, let valueRecord = valueTableRecord().first else {
      return
    }
    var table = try readTable(record)
    var values = try readTable(valueRecord)
    table.add(record)
    if let root = part(superblock.directoryAddress, superblock.directoryBytes) { table.add(root) }
    if !superblock.wasClosed {
      if let counted = try count(list, records) {
        probe("recovery.bytesCounted")
        (table, values) = counted
      } else {
        _ = pages.counters.chunksUncounted.fetchAdd(1)
        _ = context.values.counters.chunksUncounted.fetchAdd(1)
      }
    }
    try pages.adopt(table)
    try context.values.adopt(values)
  }

  private func readTable(_ record: PagePart) throws(LugeError) -> SegmentBytes {
    guard let table = SegmentBytes.decode(try pages.read(record, .segmentTable).payload) else {
      throw damage("a segment table cannot be decoded", record.address)
    }
    return table
  }

  /// Nil when a chunk's image is damaged: whoever needs the chunk is told.
  private func count(
    _ list: [ChunkEntry], _ records: [PagePart]
  ) throws(LugeError) -> (pages: SegmentBytes, values: SegmentBytes)? {
    var table = SegmentBytes()
    var values = SegmentBytes()
    for record in records { table.add(record) }
    var first = 0
    while first < list.count {
      let some = list[first..<min(first + Self.chunksARound, list.count)].map { $0.image }
      do throws(LugeError) {
        for record in try pages.read(some, .chunk) {
          guard let image = ChunkImage.decode(record.payload) else { return nil }
          for page in image.pages {
            for part in page.parts { table.add(part) }
            values.add(page.values)
          }
        }
      } catch {
        if error.code == .corruption { return nil }
        throw error
      }
      for part in some { table.add(part) }
      first += some.count
    }
    return (table, values)
  }

  private func makeTrees(_ list: [ChunkEntry]) throws(LugeError) {
    var first = 0
    while first < list.count {
      let id = list[first].tree
      guard list[first].low.isEmpty else {
        throw damage("the first chunk of tree \(id) is missing", list[first].image.address)
      }
      var end = first
      while end < list.count && list[end].tree == id { end += 1 }
      let chunks = list[first..<end].map { entry in (entry.low, entry.image, entry.entries) }
      add(try BLinkTree(id: id, context: context, chunks: chunks))
      first = end
    }
  }

  private func damage(_ what: String, _ address: PageAddress) -> LugeError {
    LugeError(
      .corruption, what, path: pages.path(address.serial), offset: Int64(address.offset))
  }

  // MARK: Redo

  /// Answers where the redo ends.
  private func replay() throws(LugeError) -> UInt64 {
    // Safe: the scan lends each payload for one call of the closure, which keeps nothing of it.
    let scan = unsafe try RedoScan.run(
      files: platform.files, directory: directoryPath, incarnation: superblock.incarnation,
      from: superblock.recoveryLSN, durable: superblock.durableLSN,
      superblockSequence: superblock.sequence
    ) { (lsn, kind, payload) throws(LugeError) in
      unsafe try self.replay(lsn, kind, payload)
    }
    return scan.end
  }

  private func replay(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) {
    switch kind {
    case .commit: unsafe try replayCommit(lsn, payload)
    case .commitApart: unsafe try replayCommitApart(lsn, payload)
    case .identifiers:
      // The payload is good for the length of this call.
      var reader = unsafe ByteReader(payload)
      guard let limit = unsafe reader.readUInt64(), limit <= Superblock.largestCounter else {
        throw LugeError(.corruption, "the id reservation at LSN \(lsn) cannot be decoded")
      }
      probe("recovery.identifiersReplayed")
      identifiersReserved = max(identifiersReserved, limit)
    case .pad, .group: break
    }
  }

  private func replayCommit(
    _ lsn: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) {
    probe("recovery.commitReplayed")
    // What is evicted from here on has all redo below this, and maybe part of this.
    context.replayLSN.store(lsn)
    try context.makeRoomIfNeeded()
    // The payload is good for the length of this call, and replay copies what it keeps.
    unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      let tree = unsafe try self.tree(operation.tree)
      let applied: Bool
      if let value = unsafe operation.value {
        applied = unsafe try tree.replayPut(lsn: lsn, key: operation.key, value: value)
      } else if let reference = unsafe operation.reference {
        probe("recovery.valueReplayed")
        applied = unsafe try tree.replayPut(
          lsn: lsn, key: operation.key, reference: reference)
      } else {
        applied = unsafe try tree.replayDelete(lsn: lsn, key: operation.key)
      }
      if !applied { probe("recovery.skippedByImage") }
    }
  }

  /// The payload lies in a value segment. It was durable before the piece that names it was written, so
  /// one that is not whole is damage, and no torn tail.
  private func replayCommitApart(
    _ lsn: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) {
    // Good for the length of this call.
    guard let reference = unsafe ValueReference(payload) else {
      throw LugeError(.corruption, "the commit at LSN \(lsn) cannot be decoded")
    }
    probe("recovery.commitApartReplayed")
    let record = try context.values.read(reference.commitPart, .commit)
    unsafe try record.withPayload { (payload) throws(LugeError) in
      guard unsafe crc32c(payload) == reference.checksum else {
        throw LugeError(
          .corruption, "a large commit is not the one that the redo log names",
          path: context.values.path(PageAddress(rawValue: reference.address).serial))
      }
      unsafe try replayCommit(lsn, payload)
    }
  }

  // MARK: Catalogue

  /// What the catalogue names at the end of the log, in order of names.
  private func namedTrees() throws(LugeError) -> [(name: String, tree: BLinkTree)] {
    var named: [(name: String, tree: BLinkTree)] = []
    var cursor = TreeCursor(try tree(Catalogue.catalogueID))
    while let entry = try cursor.next() {
      guard let (id, compression) = Catalogue.decode(entry.value), id >= Catalogue.firstNamedID
      else {
        throw LugeError(
          .corruption, "the catalogue has an entry that is none", path: directoryPath)
      }
      let found = try tree(id)
      found.compression = compression
      named.append((String(decoding: entry.key, as: UTF8.self), found))
    }
    return named
  }

  private func dropUnnamed(_ named: [(name: String, tree: BLinkTree)]) throws(LugeError) {
    let ids = named.map { item in item.tree.id }.sorted()
    var index = 1
    while index < ids.count {
      if ids[index] == ids[index - 1] {
        throw LugeError(
          .corruption, "the catalogue gives two names to one tree", path: directoryPath,
          found: "tree \(ids[index])")
      }
      index += 1
    }
    var kept: [BLinkTree] = []
    var next = 0
    for tree in trees {
      while next < ids.count && ids[next] < tree.id { next += 1 }
      if tree.id < Catalogue.firstNamedID || (next < ids.count && ids[next] == tree.id) {
        kept.append(tree)
      } else {
        probe("recovery.treeDropped")
        try tree.destroy(releasesParts: true)
      }
    }
    trees = kept
  }
}
