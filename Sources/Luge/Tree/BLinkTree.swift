internal import Platform

/// An ordered map from byte strings to byte strings that any number of threads use at once: a
/// B-link tree whose leaves are changed by compare-and-swap only.
///
/// A tree is its pages in a chain of right links, from the page whose low key is empty to the one
/// whose leaf has no high key; the index above (root and chunks) is only a faster way in.
///
/// Invariants (`checkInvariants` looks at a quiet tree):
/// - A leaf's high key is the low key of its right page. A right link may be followed only when the
///   index, read after the leaf in the same pin, leads to no page further right (see `step`).
/// - The pages' ranges cover all keys, without gap or overlap, at every moment: a split publishes
///   both halves by one compare-and-swap of the left page's word.
/// - `count` is the number of keys with a committed value, whenever no write is running.
/// - What a leaf word or a predecessor refers to is freed only through the reclaimer.
@safe final class BLinkTree: Sendable {
  /// Never reused within a database.
  let id: UInt64
  let context: TreeContext

  /// ```
  /// OFFSET SIZE DESCRIPTION
  ///      0    8 address of the root, a branch over chunks; 0 after `destroy`
  ///      8    8 state: see `TreeState`
  ///     16    8 how pages are compressed from now on: see `Compression.rawValue`
  ///     24    8 threads that evict something of the tree, and bit 63: none begins any more
  ///     32    8 not 0: `count` may be wrong, because of writes that did not look whether there was an
  ///             entry; grows with each page that begins to take such
  ///     64 16*64 count of entries, in stripes: 8 bytes at the start of each; modulo 2^64
  /// ```
  // Words and nothing else; the address never changes.
  nonisolated(unsafe) private let shared: UnsafeMutableRawPointer
  private static let countOffset = 64
  private static let stripes = 16
  private static let sharedSize = 64 + 64 * stripes

  /// An empty tree: one page, never written.
  convenience init(id: UInt64, context: TreeContext) throws(LugeError) {
    let pin = try context.pins.pin()
    let leaf = unsafe LeafBuilder.build(
      pin, UnsafePointer(UnsafeMutablePointer<UInt64>(bitPattern: 16).unsafelyUnwrapped), count: 0,
      appendWords: context.settings.appendWords, high: nil, right: 0,
      flags: Leaf.dirty | Leaf.visits)
    let page = Page.build(pin, low: .empty, word: leaf.address, imageLSN: 0)
    self.init(id: id, context: context, pages: [page], count: 0, pin)
    pin.end()
    try context.chunks.add(self)
  }

  /// A tree over finished pages, in key order.
  convenience init(id: UInt64, context: TreeContext, pages: [Page], count: UInt64, _ pin: Pin) {
    self.init(id: id, context: context, root: BLinkTree.makeRoot(pages, context, pin), count: count)
    for page in pages {
      page.owner.store(ownerWord)
      if page.leaf != nil { context.cache.add(CacheLink(page.address)) }
    }
  }

  /// A tree that lies on disk, chunk by chunk in key order, the first with an empty low key; at least
  /// one. Nothing is read.
  convenience init(
    id: UInt64, context: TreeContext, chunks: [(low: [UInt8], image: PagePart, entries: Int)]
  ) throws(LugeError) {
    let pin = try context.pins.pin()
    var nodes: [UInt64] = []
    nodes.reserveCapacity(chunks.count)
    var count: UInt64 = 0
    var isExact = true
    for chunk in chunks {
      let stamp = context.newStamp()
      let image = PartList.build(
        pin, lsn: stamp, entries: chunk.entries, [chunk.image], values: SegmentBytes())
      if !EntryCount.isExact(chunk.entries) { isExact = false }
      let word = chunk.image.address.rawValue | ChunkWord.evicted
      // The array outlives the closure, which copies from it.
      let node = unsafe chunk.low.withUnsafeBytes {
        unsafe Chunk.build(pin, low: ByteView($0), word: word, stamp: stamp, image: image)
      }
      nodes.append(node.address)
      count &+= UInt64(EntryCount.known(chunk.entries))
    }
    let root = BLinkTree.makeRoot(nodes, pin)
    self.init(id: id, context: context, root: root, count: count)
    if !isExact { inexact.store(1) }
    pin.end()
    try context.chunks.add(self)
  }

  private init(id: UInt64, context: TreeContext, root: Branch, count: UInt64) {
    self.id = id
    self.context = context
    let shared = UnsafeMutableRawPointer.allocate(
      byteCount: BLinkTree.sharedSize, alignment: 64)
    unsafe shared.initializeMemory(as: UInt8.self, repeating: 0, count: BLinkTree.sharedSize)
    unsafe WordRef.initialize(shared, 0, root.address)
    unsafe WordRef.initialize(shared, 8, 0)
    unsafe WordRef.initialize(shared, 16, UInt64(context.settings.compression.rawValue))
    unsafe WordRef.initialize(shared, 24, 0)
    unsafe WordRef.initialize(shared, 32, 0)
    unsafe WordRef.initialize(shared, BLinkTree.countOffset, count)
    unsafe self.shared = shared
  }

  /// What pages know their tree by, without holding it: `destroy` comes before its end.
  var ownerWord: UInt64 {
    unsafe UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()))
  }

  @inline(__always) var root: WordRef { unsafe WordRef(shared, 0) }
  @inline(__always) private var state: WordRef { unsafe WordRef(shared, 8) }
  private var compressionWord: WordRef { unsafe WordRef(shared, 16) }
  /// How many threads evict something of this tree, unpinned; with the highest bit, none begins.
  var maintenance: WordRef { unsafe WordRef(shared, 24) }
  /// Not 0 when some entries may be counted wrongly: see `makeCountExact`.
  var inexact: WordRef { unsafe WordRef(shared, 32) }
  static let maintenanceEnds: UInt64 = 1 << 63

  /// The word in which a thread counts; few threads share one.
  @inline(__always)
  func countStripe(_ pin: Pin) -> WordRef {
    let stripe = Int(pin.field(PinLayout.slot)) & (BLinkTree.stripes &- 1)
    return unsafe WordRef(shared, BLinkTree.countOffset &+ 64 &* stripe)
  }

  /// The number of entries: exact when no write is running and `inexact` is 0.
  var count: UInt64 {
    var sum: UInt64 = 0
    var stripe = 0
    while stripe < BLinkTree.stripes {
      sum &+= unsafe WordRef(shared, BLinkTree.countOffset &+ 64 &* stripe).load()
      stripe += 1
    }
    return sum
  }

  /// `count` for people: a removal may be counted before the insert that it undoes.
  var entryCount: Int { max(0, Int(truncatingIfNeeded: count)) }

  /// How pages that are written from now on are compressed; at first as the context's settings say.
  var compression: Compression {
    get { Compression(rawValue: UInt16(truncatingIfNeeded: compressionWord.load())) ?? .none }
    set { compressionWord.store(UInt64(newValue.rawValue)) }
  }

  /// Unless it is `open`, every operation throws from here on, except those that have begun: they
  /// have ended after `waitForQuiescence`.
  func setState(_ new: TreeState) { state.storeSequential(new.rawValue) }

  var isOpen: Bool { state.load() == TreeState.open.rawValue }

  @inline(__always)
  func checkOpen() throws(LugeError) {
    if state.load() != 0 { throw closedError() }
  }

  private func closedError() -> LugeError {
    state.load() == TreeState.closed.rawValue
      ? LugeError(.closed, "the database is closed")
      : LugeError(.treeNotFound, "the tree was dropped")
  }

  /// A tree may be asked, and says that it is closed, long after `destroy`: its words live as long
  /// as the object.
  deinit { unsafe shared.deallocate() }

  @inline(__always)
  static func checkKey(_ count: Int) throws(LugeError) {
    if count > TreeSettings.longestKey {
      throw limitError("a key", count, TreeSettings.longestKey)
    }
  }

  @inline(__always)
  static func checkValue(_ count: Int) throws(LugeError) {
    if count > TreeSettings.longestValue {
      throw limitError("a value", count, TreeSettings.longestValue)
    }
  }

  @inline(never)
  private static func limitError(_ what: StaticString, _ count: Int, _ limit: Int) -> LugeError {
    LugeError(.tooLarge, "\(what) has \(count) bytes; the limit is \(limit)")
  }

  // MARK: Descending

  /// Where a key is looked for.
  struct Place {
    var page: Page
    /// Nil when it is not in memory.
    var leaf: Leaf?
    /// About where the key is among the leaf's entries in key order; negative when that is not known.
    var near = -1
    /// Where the page is in the index, unless it is not there yet.
    var posted: (branch: Branch, index: Int)?
  }

  /// The page that covers `key`, and its leaf; nil what of that is not in memory: unpin, `pageIn`,
  /// start again. Pinned.
  @inline(__always)
  func descend(_ key: ByteView, _ pin: Pin) -> (page: Page, leaf: Leaf?)? {
    guard let place = approach(key, pin) else { return nil }
    return (place.page, place.leaf)
  }

  /// The same, and where the key is within the leaf, about.
  @inline(__always)
  func approach(_ key: ByteView, _ pin: Pin) -> Place? {
    let word = findChunk(key).word.load()
    if !ChunkWord.hasBranch(word) { return nil }
    let branch = ChunkWord.branch(word)
    let index = branch.position(key) &- 1
    // Before the page is looked at, which lies in a cache line of its own.
    let near = branch.approachLeaf(index, key)
    let page = Page(address: branch.node(index))
    guard let leaf = page.leaf else { return Place(page: page, leaf: nil) }
    branch.note(leaf, at: index)
    if !leaf.isBelow(key) {
      return Place(page: page, leaf: leaf, near: near, posted: (branch, index))
    }
    return moveRight(page, leaf, key, pin)
  }

  /// Goes on to the right from a leaf that ends at or below `key`, and posts what the index lacks.
  @inline(never)
  func moveRight(_ page: Page, _ leaf: Leaf, _ key: ByteView, _ pin: Pin) -> Place? {
    probe("tree.movedRight")
    var (page, leaf) = (page, leaf)
    while true {
      guard let right = step(from: page, leaf, found: findPage(key), pin) else { return nil }
      page = right
      guard let next = page.leaf else { return Place(page: page, leaf: nil) }
      leaf = next
      if !leaf.isBelow(key) { return Place(page: page, leaf: leaf) }
    }
  }

  /// The tree that a page in the cache belongs to. With the cache's lock held.
  static func owner(of page: Page) -> BLinkTree { owner(page.owner.load()) }

  /// The tree of an `ownerWord`. While the page is in the cache, or the tree among those of the `ChunkClock`,
  /// and the lock of that is held.
  static func owner(_ word: UInt64) -> BLinkTree {
    // `destroy` takes both out, and comes before the tree's end.
    unsafe Unmanaged<BLinkTree>.fromOpaque(
      UnsafeRawPointer(bitPattern: UInt(word)).unsafelyUnwrapped
    ).takeUnretainedValue()
  }

  // MARK: Reading

  /// The value of a key, or nil. Lock-free; writes nothing but, at most, a version word.
  func get(_ key: UnsafeRawBufferPointer) throws(LugeError) -> [UInt8]? {
    if let found = unsafe try getResident(ByteView(key)) { return found }
    return unsafe try getPastMemory(ByteView(key))
  }

  /// The value, or nil in it; nil when the leaf is not in memory, or the value apart.
  @inline(__always)
  private func getResident(_ key: ByteView) throws(LugeError) -> [UInt8]?? {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    guard let place = approach(key, pin), let leaf = place.leaf else { return .none }
    leaf.noteVisit()
    guard let record = visible(key, leaf, place.near, pin) else {
      return leaf.isPartial ? .none : .some(nil)
    }
    return record.isReference ? .none : .some(record.value.copy())
  }

  /// Whether a key has a value.
  func contains(_ key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    while true {
      if let found = unsafe try containsResident(ByteView(key)) { return found }
      switch unsafe try glance(ByteView(key), { _, _ in }) {
      case .found: return true
      case .absent: return false
      case .declined: break
      }
      unsafe try pageIn(ByteView(key))
    }
  }

  @inline(__always)
  private func containsResident(_ key: ByteView) throws(LugeError) -> Bool? {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    guard let place = approach(key, pin), let leaf = place.leaf else { return nil }
    leaf.noteVisit()
    if visible(key, leaf, place.near, pin) != nil { return true }
    return leaf.isPartial ? nil : false
  }

  /// The record that holds the key's present value. Pinned.
  @inline(__always)
  private func visible(_ key: ByteView, _ leaf: Leaf, _ near: Int, _ pin: Pin) -> Record? {
    let slot = leaf.locate(key, near: near)
    let top = Leaf.record(slot.word)
    if top == 0 { return nil }
    let address = visible(top, leaf, pin).record
    if address == 0 { return nil }
    let record = Record(address: address)
    return record.isTombstone ? nil : record
  }
}
