internal import Platform

extension BLinkTree {
  /// Frees everything that the tree holds. No operation runs any more: after `setState` and
  /// `waitForQuiescence`, or when the database goes. Afterwards operations still throw as its state
  /// says. Twice is harmless. Records that callers still look at stay until they let go.
  ///
  /// - Parameter releasesParts: the tree is gone for good, and what it has on disk.
  func destroy(releasesParts: Bool = false) throws(LugeError) {
    if root.load() == 0 { return }
    try waitForLoads()
    try leaveCache()
    if releasesParts { try releaseParts() }
    // No operation runs, so no record of this tree gets a hazard from here on.
    let held = try context.epochs.protectedBlocks()
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if root.load() == 0 { return }
    // Whatever the caller did, nothing looks at the pages from here on.
    if isOpen { setState(.closed) }
    finishMerges(pin)
    forgetIndex()
    forEachPage { page in
      if let leaf = page.leaf { BLinkTree.destroy(leaf, held, pin) }
      page.free(pin)
    }
    let root = Branch(address: root.exchange(0))
    var index = 0
    while index < root.count {
      let chunk = Chunk(address: root.node(index))
      let word = chunk.word.load()
      if ChunkWord.hasBranch(word) { ChunkWord.branch(word).free(pin) }
      chunk.free(pin)
      index += 1
    }
    root.free(pin)
  }

  private func forgetIndex() {
    let root = Branch(address: self.root.load())
    var index = 0
    while index < root.count {
      let word = Chunk(address: root.node(index)).word.load()
      index += 1
      if !ChunkWord.hasBranch(word) { continue }
      _ = context.chunks.bytes.fetchSubtract(UInt64(ChunkWord.branch(word).indexBytes))
    }
  }

  /// What a thread that stopped for good, or an error, left half done.
  private func finishMerges(_ pin: Pin) {
    var leaving: [Page] = []
    forEachPage { page in
      if PageWord.tag(page.word.load()) >= PageWord.leaving { leaving.append(page) }
    }
    for page in leaving { _ = finishLeaving(page, pin) }
  }

  private static func destroy(_ leaf: Leaf, _ held: ProtectedBlocks, _ pin: Pin) {
    var index = 0
    while index < leaf.wordCount {
      var address = Leaf.record(leaf.word(index).load())
      while address != 0 {
        let record = Record(address: address)
        address = record.beneath
        if held.contains(record.address) {
          record.retire(pin)
        } else {
          record.free(pin)
        }
      }
      index += 1
    }
    leaf.free(pin)
  }

  /// Calls `body`, which may free the page, with every page of a quiet tree in key order: the posted
  /// ones as the index has them, the others by the right links before them.
  func forEachPage(_ body: (Page) -> Void) {
    let root = Branch(address: root.load())
    var index = 0
    while index < root.count {
      let chunk = Chunk(address: root.node(index))
      index += 1
      let end: ByteView? = index < root.count ? root.low(index) : nil
      // All of them first, because a freed page says no more where it ends.
      for page in BLinkTree.pages(of: chunk, end: end) { body(page) }
    }
  }

  static func pages(of chunk: Chunk, end: ByteView?) -> [Page] {
    let word = chunk.word.load()
    if !ChunkWord.hasBranch(word) { return [] }
    let branch = ChunkWord.branch(word)
    var pages: [Page] = []
    var index = 0
    while index < branch.count {
      var page = Page(address: branch.node(index))
      index += 1
      let next = index < branch.count ? branch.low(index) : end
      pages.append(page)
      // A page without a leaf is followed by a posted one, and so is a leaf without a right link.
      while let leaf = page.leaf, leaf.hasHigh, leaf.right != 0,
        next.map({ low in !(leaf.high == low) }) ?? true
      {
        page = Page(address: leaf.right)
        pages.append(page)
      }
    }
    return pages
  }

  /// Operations that were reading a page when the tree was closed still have it in hand, unpinned.
  func waitForLoads() throws(LugeError) {
    var attempt = 0
    while try isLoading() {
      try context.backOff(attempt, "waiting for a page")
      attempt += 1
    }
  }

  /// Takes all pages out of the cache, for good.
  private func leaveCache() throws(LugeError) {
    // From here on nobody begins to evict a page of this tree.
    _ = maintenance.fetchOr(BLinkTree.maintenanceEnds)
    var attempt = 0
    while maintenance.load() != BLinkTree.maintenanceEnds {
      try context.backOff(attempt, "waiting for a page")
      attempt += 1
    }
    try context.chunks.remove(self)
    try context.cache.remove(try pages().map { page in CacheLink(page.address) })
  }

  private func pages() throws(LugeError) -> [Page] {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if root.load() == 0 { return [] }
    var pages: [Page] = []
    forEachPage { page in pages.append(page) }
    return pages
  }

  private func isLoading() throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if self.root.load() == 0 { return false }
    let root = Branch(address: self.root.load())
    var found = false
    var index = 0
    while index < root.count {
      let word = Chunk(address: root.node(index)).word.load()
      if ChunkWord.tag(word) == ChunkWord.loading { found = true }
      index += 1
    }
    forEachPage { page in
      if PageWord.tag(page.word.load()) == PageWord.loading { found = true }
    }
    return found
  }
}
