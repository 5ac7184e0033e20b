import Platform

/// Rebuilds the trees: the chunks that the superblock's list names, which stay on disk until they are
/// needed, and on top of them the redo from R on. What it writes no superblock names, so it may be run
/// again after any crash and gives the same.
///
/// The redo is not applied here but where pages come into memory (`PendingCell`), except:
/// - what the catalogue lacks, for it is looked at;
/// - what would make a page much larger than a page should be: it is applied at once, and leaves split;
/// - trees that have no page on disk yet;
/// - all of it, in portions, where memory does not suffice for an index of it.
///
/// Why that is right: a leaf's image holds every commit below its W, so a commit below W is
/// skipped; commits are absolute puts and removals, so one at or above W that the image happens
/// to hold is harmless, and of several on a key the last one alone will do. What is evicted meanwhile gets R as its W,
/// because others of its keys may be still to come. Commits on a tree that the catalogue does not have at the end
/// are passed over: tree ids are never used again.
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

  let platform: PlatformServices
  let directoryPath: String
  let superblock: Superblock
  let redo: FoundRedo
  let pages: PageStore
  let context: TreeContext
  /// In order of ids.
  private(set) var trees: [BLinkTree] = []
  /// Ids of those that the list of chunks names.
  var treesOnDisk: [UInt64] = []
  private var nextTreeID: UInt64

  init(
    platform: PlatformServices, directory: String, superblock: Superblock, redo: FoundRedo,
    pages: PageStore, context: TreeContext
  ) {
    self.platform = platform
    directoryPath = directory
    self.superblock = superblock
    self.redo = redo
    self.pages = pages
    self.context = context
    nextTreeID = superblock.nextTreeID
  }

  func run() throws(LugeError) -> State {
    let (list, records) = try readList()
    try makeTrees(list)
    _ = try tree(Catalogue.catalogueID)
    _ = try tree(Catalogue.defaultID)
    // What is evicted from here on has all redo below this, and maybe part of what follows.
    context.replayLSN.store(superblock.recoveryLSN)
    let named = try redo.isIndexed ? replayLazily() : replayInPortions()
    context.replayLSN.store(0)
    try dropUnnamed(named)
    return State(
      catalogueTree: try tree(Catalogue.catalogueID), defaultTree: try tree(Catalogue.defaultID),
      named: named, nextTreeID: nextTreeID,
      identifiersReserved: max(superblock.idsReserved, redo.harvest.identifiersReserved),
      records: records)
  }

  /// After an error: nothing else owns the trees.
  func destroyTrees() {
    for tree in trees { try? tree.destroy() }
    trees = []
  }

  /// Made where there is none yet.
  func tree(_ id: UInt64) throws(LugeError) -> BLinkTree {
    if let found = existingTree(id) { return found }
    guard id < Superblock.largestCounter else {
      throw LugeError(
        .corruption, "the catalogue names a tree by no valid id", path: directoryPath,
        found: "\(id)")
    }
    let created = try BLinkTree(id: id, context: context)
    add(created)
    return created
  }

  func existingTree(_ id: UInt64) -> BLinkTree? {
    let place = place(of: id)
    return place < trees.count && trees[place].id == id ? trees[place] : nil
  }

  func add(_ tree: BLinkTree) {
    trees.insert(tree, at: place(of: tree.id))
    noteTree(tree.id)
  }

  /// An id that is taken.
  func noteTree(_ id: UInt64) {
    // One at the end of the range comes of bytes that no engine wrote.
    if id >= nextTreeID { nextTreeID = id &+ 1 }
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

  // MARK: Catalogue

  /// What the catalogue names at the end of the log, in order of names.
  func namedTrees() throws(LugeError) -> [(name: String, tree: BLinkTree)] {
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
