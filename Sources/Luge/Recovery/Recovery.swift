import Platform

/// Rebuilds the trees: the pages that the superblock's directory names, which stay on disk until they
/// are needed, then the redo from R in LSN order. Writes nothing, so it may be run again after any crash and gives the same.
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
    var directory: [DirectoryEntry]
    var parts: [PagePart]
  }

  private let platform: PlatformServices
  private let directoryPath: String
  private let superblock: Superblock
  private let pages: PageStore
  private let context: TreeContext
  /// In order of ids.
  private var trees: [(id: UInt64, tree: BLinkTree)] = []
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
    let (directory, parts) = try readDirectory()
    try pages.adopt(Checkpointer.namedBytes(directory, parts))
    try loadTrees(directory)
    _ = try tree(Catalogue.catalogueID)
    _ = try tree(Catalogue.defaultID)
    let end = try replay()
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
      directory: directory, parts: parts)
  }

  /// After an error: nothing else owns the trees.
  func destroyTrees() {
    for entry in trees { try? entry.tree.destroy() }
    trees = []
  }

  private func tree(_ id: UInt64) throws(LugeError) -> BLinkTree {
    if let known = trees.first(where: { entry in entry.id == id }) { return known.tree }
    let created = try BLinkTree(id: id, context: context)
    add(created)
    return created
  }

  private func add(_ tree: BLinkTree) {
    trees.append((tree.id, tree))
    trees.sort { left, right in left.id < right.id }
    if tree.id >= nextTreeID { nextTreeID = tree.id + 1 }
  }

  // MARK: Images

  private func readDirectory() throws(LugeError) -> ([DirectoryEntry], [PagePart]) {
    var entries: [DirectoryEntry] = []
    var parts: [PagePart] = []
    var next = PageAddress(rawValue: superblock.directoryAddress)
    while next != .none {
      // A chain of parts that names itself would never end; the superblock knows its length.
      if parts.count == superblock.directoryParts {
        throw damage("the directory has more parts than the superblock says", next)
      }
      let bytes = try pages.read(next, .directory)
      guard let part = DirectoryPart.decode(bytes) else {
        throw damage("a directory part cannot be decoded", next)
      }
      entries.append(contentsOf: part.entries)
      parts.append(PagePart(address: next, length: bytes.count))
      next = part.next
    }
    if parts.count != superblock.directoryParts {
      throw LugeError(
        .corruption, "the directory ends early", path: directoryPath,
        expected: "\(superblock.directoryParts) parts", found: "\(parts.count)")
    }
    return (entries, parts)
  }

  private func loadTrees(_ directory: [DirectoryEntry]) throws(LugeError) {
    var index = 0
    while index < directory.count {
      let id = directory[index].tree
      if trees.contains(where: { entry in entry.id == id }) {
        throw damage("the directory names tree \(id) in two places", directory[index].address)
      }
      var loader = TreeLoader(id: id, context: context)
      do throws(LugeError) {
        while index < directory.count && directory[index].tree == id {
          try load(directory[index], into: &loader)
          index += 1
        }
        add(try loader.finish())
      } catch {
        try loader.abandon()
        throw error
      }
    }
  }

  private func load(
    _ entry: DirectoryEntry, into loader: inout TreeLoader
  ) throws(LugeError) {
    try loader.append(
      low: entry.lowKey, [PagePart(address: entry.address, length: entry.length)],
      lsn: entry.imageLSN, entries: entry.liveEntries)
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
    case .commit:
      probe("recovery.commitReplayed")
      // The payload is good for the length of this call, and replay copies what it keeps.
      unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
        let tree = unsafe try self.tree(operation.tree)
        let applied =
          if let value = unsafe operation.value {
            unsafe try tree.replayPut(lsn: lsn, key: operation.key, value: value)
          } else {
            unsafe try tree.replayDelete(lsn: lsn, key: operation.key)
          }
        if !applied { probe("recovery.skippedByImage") }
      }
    case .identifiers:
      // The payload is good for the length of this call.
      var reader = unsafe ByteReader(payload)
      guard let limit = unsafe reader.readUInt64() else {
        throw LugeError(.corruption, "the id reservation at LSN \(lsn) cannot be decoded")
      }
      probe("recovery.identifiersReplayed")
      identifiersReserved = max(identifiersReserved, limit)
    case .pad, .group: break
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
    var kept: [(id: UInt64, tree: BLinkTree)] = []
    for entry in trees {
      let isKept =
        entry.id < Catalogue.firstNamedID
        || named.contains { item in item.tree.id == entry.id }
      if isKept {
        kept.append(entry)
      } else {
        probe("recovery.treeDropped")
        try entry.tree.destroy(releasesParts: true)
      }
    }
    trees = kept
  }
}
