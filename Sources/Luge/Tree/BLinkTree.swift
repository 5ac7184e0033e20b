internal import Platform

/// An ordered map from byte strings to byte strings that any number of threads use at once: a
/// B-link tree whose leaves are changed by compare-and-swap only.
///
/// A tree is its pages in a chain of right links, from the page whose low key is empty to the one
/// whose leaf has no high key; the index above is only a faster way in.
///
/// Invariants (`checkInvariants` looks at a quiet tree):
/// - A leaf's high key is the low key of its right page.
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
  ///      0    8 address of the index
  ///      8    8 state: see `TreeState`
  ///     64    8 count of entries
  /// ```
  // Words and nothing else; the address never changes.
  nonisolated(unsafe) private let shared: UnsafeMutableRawPointer
  private static let sharedSize = 128

  /// The page whose low key is empty. Set once, when the tree is made.
  let firstPage: Page

  /// An empty tree: one page, never written.
  convenience init(id: UInt64, context: TreeContext) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let leaf = unsafe LeafBuilder.build(
      pin, UnsafePointer(UnsafeMutablePointer<UInt64>(bitPattern: 16).unsafelyUnwrapped), count: 0,
      appendWords: context.settings.appendWords, high: nil, right: 0, flags: Leaf.dirty)
    let page = Page.build(pin, low: .empty, word: leaf.address, imageLSN: 0)
    self.init(id: id, context: context, pages: [page], count: 0, pin)
  }

  /// A tree over finished pages, in key order.
  init(id: UInt64, context: TreeContext, pages: [Page], count: UInt64, _ pin: Pin) {
    self.id = id
    self.context = context
    firstPage = pages[0]
    let shared = UnsafeMutableRawPointer.allocate(
      byteCount: BLinkTree.sharedSize, alignment: 64)
    var addresses = [UInt64]()
    addresses.reserveCapacity(pages.count)
    for page in pages { addresses.append(page.address) }
    let index = unsafe addresses.withUnsafeBufferPointer {
      unsafe TreeIndex.build(pin, $0.baseAddress.unsafelyUnwrapped, count: pages.count)
    }
    unsafe WordRef.initialize(shared, 0, index.address)
    unsafe WordRef.initialize(shared, 8, 0)
    unsafe WordRef.initialize(shared, 64, count)
    unsafe self.shared = shared
    // The pages know their tree without holding it: `destroy` comes before its end.
    let owner = unsafe UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()))
    for page in pages { page.owner.store(owner) }
  }

  @inline(__always) var index: WordRef { unsafe WordRef(shared, 0) }
  @inline(__always) private var state: WordRef { unsafe WordRef(shared, 8) }
  @inline(__always) var countWord: WordRef { unsafe WordRef(shared, 64) }

  /// The number of entries: exact when no write is running.
  var count: UInt64 { countWord.load() }

  /// `count` for people: a removal may be counted before the insert that it undoes.
  var entryCount: Int { max(0, Int(truncatingIfNeeded: count)) }

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

  static func checkKey(_ count: Int) throws(LugeError) {
    if count > TreeSettings.longestKey {
      throw LugeError(
        .tooLarge, "a key has \(count) bytes; the limit is \(TreeSettings.longestKey)")
    }
  }

  static func checkValue(_ count: Int) throws(LugeError) {
    if count > TreeSettings.longestValue {
      throw LugeError(
        .tooLarge, "a value has \(count) bytes; the limit is \(TreeSettings.longestValue)")
    }
  }

  // MARK: Descending

  /// The page that covers `key`, and its leaf; nil when that is not in memory: unpin, `pageIn`,
  /// start again. Pinned.
  @inline(__always)
  func descend(_ key: ByteView, _ pin: Pin) -> (page: Page, leaf: Leaf?) {
    let page = TreeIndex(address: index.load()).find(key)
    guard let leaf = page.leaf else { return (page, nil) }
    if !leaf.isBelow(key) { return (page, leaf) }
    return moveRight(leaf, key, pin)
  }

  /// The high key of a page that is not resident: where the next posted page begins. Pinned. It
  /// counts if the page's word is the same afterwards.
  func highKey(ofEvicted page: Page) -> [UInt8]? {
    let index = TreeIndex(address: index.load())
    let next = index.position(page.low)
    return next < index.count ? index.page(next).low.copy() : nil
  }

  /// Goes on to the right from a leaf that ends at or below `key`, and posts what the index lacks.
  @inline(never)
  private func moveRight(_ start: Leaf, _ key: ByteView, _ pin: Pin) -> (page: Page, leaf: Leaf?) {
    probe("tree.movedRight")
    var leaf = start
    while true {
      if leaf.right == 0 { return descend(key, pin) }
      let page = Page(address: leaf.right)
      post(page, pin)
      guard let next = page.leaf else { return (page, nil) }
      leaf = next
      if !leaf.isBelow(key) { return (page, leaf) }
    }
  }

  /// Enters a page into the index, unless it is there.
  func post(_ page: Page, _ pin: Pin) {
    while true {
      let old = TreeIndex(address: index.load())
      guard let new = old.adding(page, pin) else { return }
      if index.compareExchange(expected: old.address, desired: new.address) {
        old.retire(pin)
        return
      }
      new.free(pin)
    }
  }

  // MARK: Reading

  /// The value of a key, or nil. Lock-free; writes nothing but, at most, a version word.
  func get(_ key: UnsafeRawBufferPointer) throws(LugeError) -> [UInt8]? {
    while true {
      if let found = unsafe try getResident(ByteView(key)) { return found }
      unsafe try pageIn(ByteView(key))
    }
  }

  /// The value, or nil in it; nil when the leaf is not in memory.
  @inline(__always)
  private func getResident(_ key: ByteView) throws(LugeError) -> [UInt8]?? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    guard let leaf = descend(key, pin).leaf else { return .none }
    return .some(visible(key, leaf, pin)?.value.copy())
  }

  /// Whether a key has a value.
  func contains(_ key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    while true {
      if let found = unsafe try containsResident(ByteView(key)) { return found }
      unsafe try pageIn(ByteView(key))
    }
  }

  @inline(__always)
  private func containsResident(_ key: ByteView) throws(LugeError) -> Bool? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    guard let leaf = descend(key, pin).leaf else { return nil }
    return visible(key, leaf, pin) != nil
  }

  /// The record that holds the key's present value. Pinned.
  @inline(__always)
  private func visible(_ key: ByteView, _ leaf: Leaf, _ pin: Pin) -> Record? {
    let slot = leaf.locate(key)
    let top = Leaf.record(slot.word)
    if top == 0 { return nil }
    let address = visible(top, leaf, pin).record
    if address == 0 { return nil }
    let record = Record(address: address)
    return record.isTombstone ? nil : record
  }
}
