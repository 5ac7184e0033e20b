internal import Platform

extension BLinkTree {
  /// Frees everything that the tree holds. No operation runs any more: after `setState` and
  /// `waitForQuiescence`, or when the database goes. Afterwards operations still throw as its state
  /// says. Twice is harmless.
  func destroy() throws(LugeError) {
    try waitForLoads()
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if index.load() == 0 { return }
    // Whatever the caller did, nothing looks at the pages from here on.
    if isOpen { setState(.closed) }
    for page in allPages() {
      if let leaf = page.leaf { BLinkTree.destroy(leaf, pin) }
      page.free(pin)
    }
    TreeIndex(address: index.exchange(0)).free(pin)
  }

  private static func destroy(_ leaf: Leaf, _ pin: Pin) {
    var index = 0
    while index < leaf.wordCount {
      var address = Leaf.record(leaf.word(index).load())
      while address != 0 {
        let record = Record(address: address)
        address = record.predecessor.load()
        record.free(pin)
      }
      index += 1
    }
    leaf.free(pin)
  }

  /// The pages of a quiet tree in key order: the posted ones as the index has them, the others by
  /// the right links before them.
  func allPages() -> [Page] {
    let index = TreeIndex(address: self.index.load())
    var pages: [Page] = []
    var place = 0
    while place < index.count {
      var page = index.page(place)
      place += 1
      let next: ByteView? = place < index.count ? index.page(place).low : nil
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
  private func waitForLoads() throws(LugeError) {
    var attempt = 0
    while try isLoading() {
      try context.backOff(attempt, "waiting for a page")
      attempt += 1
    }
  }

  private func isLoading() throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if index.load() == 0 { return false }
    for page in allPages() where PageWord.tag(page.word.load()) == PageWord.loading { return true }
    return false
  }
}
