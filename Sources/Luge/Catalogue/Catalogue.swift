import Platform

/// The trees of a database by name, themselves kept in a tree. The key is the name in UTF-8; the value,
/// little-endian:
///
///     OFFSET SIZE DESCRIPTION
///          0    8 tree id
///          8    1 how pages are compressed: plain 0, LZ4 1, Zstandard 2
///          9    1 level of Zstandard, from 1 to 19; else 0
///
/// Invariants:
/// 1. Tree ids are never used again. Id 0 is the catalogue, id 1 the default tree (no entry in the catalogue).
/// 2. A tree is in `open` when, and only when, its entry is in the catalogue tree or it is the default one.
/// 3. A dropped tree's entry is removed only after every operation on it has ended: so all its
///    commits have lower LSNs than the removal.
final class Catalogue: @unchecked Sendable {
  static let catalogueID: UInt64 = 0
  static let defaultID: UInt64 = 1
  static let firstNamedID: UInt64 = 2
  static let maximumNameLength = 1024

  let tree: BLinkTree
  let defaultTree: BLinkTree
  private let context: TreeContext
  private let lock: Lock
  // Guarded by `lock`. In the order of the names' bytes.
  private var open: [(name: String, tree: BLinkTree)] = []
  private var nextTreeID: UInt64

  init(
    tree: BLinkTree, defaultTree: BLinkTree, open: [(name: String, tree: BLinkTree)],
    nextTreeID: UInt64, context: TreeContext, threads: any Threads
  ) {
    self.tree = tree
    self.defaultTree = defaultTree
    self.open = open.sorted { left, right in Self.precedes(left.name, right.name) }
    self.nextTreeID = nextTreeID
    self.context = context
    lock = Lock(threads: threads)
  }

  /// The tree of that name, created where missing. Takes the catalogue's lock.
  ///
  /// - Parameter compression: of its pages from now on; nil leaves what it is.
  func tree(named name: String, compression: Compression?) throws(LugeError) -> BLinkTree {
    if name.isEmpty { return defaultTree }
    try lock.acquire()
    defer { lock.unlock() }
    if let index = index(of: name) {
      let found = open[index].tree
      if let compression, compression != found.compression {
        try found.checkOpen()
        try note(found.id, compression, name)
        found.compression = compression
      }
      return found
    }
    try tree.checkOpen()
    if name.utf8.count > Self.maximumNameLength {
      throw LugeError(
        .invalidArgument,
        "a tree's name has at most \(Self.maximumNameLength) bytes, found \(name.utf8.count)")
    }
    let id = nextTreeID
    nextTreeID += 1
    let compression = compression ?? context.settings.compression
    try note(id, compression, name)
    let created = try BLinkTree(id: id, context: context)
    created.compression = compression
    open.insert((name, created), at: place(of: name))
    probe("catalogue.treeCreated")
    return created
  }

  private func note(
    _ id: UInt64, _ compression: Compression, _ name: String
  ) throws(LugeError) {
    _ = try tree.updateValue(Self.encode(id, compression), forKey: Array(name.utf8))
  }

  /// False when there is no such tree. The caller holds the checkpoint lock: no walk is under way.
  func drop(_ name: String) throws(LugeError) -> Bool {
    if name.isEmpty {
      throw LugeError(.invalidArgument, "the default tree cannot be dropped")
    }
    try lock.acquire()
    defer { lock.unlock() }
    try tree.checkOpen()
    guard let index = index(of: name) else { return false }
    let dropped = open[index].tree
    dropped.setState(.dropped)
    do throws(LugeError) {
      try context.epochs.waitForQuiescence(context.platform.threads)
      _ = try tree.removeValue(forKey: Array(name.utf8))
    } catch {
      // Nothing was logged, so the tree is still there.
      dropped.setState(.open)
      throw error
    }
    open.remove(at: index)
    try dropped.destroy(releasesParts: true)
    probe("catalogue.treeDropped")
    return true
  }

  func names() throws(LugeError) -> [String] {
    try lock.acquire()
    defer { lock.unlock() }
    try tree.checkOpen()
    return [""] + open.map { entry in entry.name }
  }

  /// All trees in order of their ids, and the next id; for a checkpoint, after it took its redo start.
  func snapshot() throws(LugeError) -> (trees: [BLinkTree], nextTreeID: UInt64) {
    try lock.acquire()
    defer { lock.unlock() }
    let named = open.map { entry in entry.tree }.sorted { left, right in left.id < right.id }
    return ([tree, defaultTree] + named, nextTreeID)
  }

  /// Every later operation on any tree throws `.closed`.
  func closeAll() throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    for tree in allTrees { tree.setState(.closed) }
  }

  /// Frees the memory of all trees. Nothing may be under way.
  func destroyAll() {
    // Fails only where more threads hold slots than there are; then the memory stays.
    for tree in allTrees { try? tree.destroy() }
  }

  private var allTrees: [BLinkTree] { [tree, defaultTree] + open.map { entry in entry.tree } }

  private func index(of name: String) -> Int? {
    let place = place(of: name)
    return place < open.count && !Self.precedes(name, open[place].name) ? place : nil
  }

  /// How many open trees have lower names.
  private func place(of name: String) -> Int {
    var low = 0
    var high = open.count
    while low < high {
      let middle = (low + high) / 2
      if Self.precedes(open[middle].name, name) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// By bytes, as the catalogue's keys: equal strings may differ in their UTF-8.
  private static func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  static func encode(_ id: UInt64, _ compression: Compression) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(id)
    writer.write(compression.rawValue)
    return writer.bytes
  }

  /// Nil for bytes that `encode` never gives.
  static func decode(_ bytes: [UInt8]) -> (id: UInt64, compression: Compression)? {
    // The reader does not outlive the array.
    unsafe bytes.withUnsafeBytes { buffer in
      var reader = unsafe ByteReader(buffer)
      guard let id = unsafe reader.readUInt64(), let raw = unsafe reader.readUInt16(),
        let compression = Compression(rawValue: raw), unsafe reader.isAtEnd
      else { return nil }
      return (id, compression)
    }
  }
}
