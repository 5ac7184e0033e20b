internal import Platform

// A batch is installed within one pin, so all its leaves must be in memory at once.

/// Pages that nobody evicts, because their claims are a batch's. Until they are released their trees are not
/// freed: the batch counts as one that evicts something of them.
struct HeldPages {
  fileprivate var pages: [Page] = []
  fileprivate var trees: [BLinkTree] = []

  mutating func release() {
    for page in pages { page.releaseClaim() }
    pages.removeAll(keepingCapacity: true)
    // Only then: from here on the pages may be gone.
    for tree in trees { tree.endMaintenance() }
    trees.removeAll(keepingCapacity: true)
  }

  /// Keeps a tree from being freed. Throws when somebody is about to.
  fileprivate mutating func keep(_ tree: BLinkTree) throws(LugeError) {
    if tree.beginMaintenance() {
      trees.append(tree)
      return
    }
    try tree.checkOpen()
    throw LugeError(.closed, "the tree is about to be freed")
  }
}

extension BatchCommit {
  /// Sees to it that the leaves of the writes from `first` on were in memory a moment ago.
  func pageInAll(from first: Int) throws(LugeError) {
    var index = first
    while index < order.count {
      let place = buffer.place(order.position(index))
      try trees[place.tree].pageIn(buffer.key(place))
      index += 1
    }
  }

  /// The same for all, and takes the claims of their pages, so that they stay there. All
  /// batches take them in the order of (tree, key), and nobody else holds more than one: nobody waits in a circle.
  /// `held` is empty before; the caller releases it, also after an error.
  func holdAll(_ held: inout HeldPages) throws(LugeError) {
    probe("tree.batchHeldPages")
    for tree in trees { try held.keep(tree) }
    var index = 0
    var attempt = 0
    while index < order.count {
      let place = buffer.place(order.position(index))
      let tree = trees[place.tree]
      switch try hold(tree, buffer.key(place), &held) {
      case .held:
        index += 1
        attempt = 0
      case .missing: try tree.pageIn(buffer.key(place))
      case .busy:
        try context.backOff(attempt, "waiting for a page")
        attempt += 1
        // Whoever has the claim may have stopped for good; without it there is another attempt.
        if attempt == 64 {
          index += 1
          attempt = 0
        }
      }
    }
  }

  private enum Holding {
    case held
    case missing
    case busy
  }

  private func hold(
    _ tree: BLinkTree, _ key: ByteView, _ held: inout HeldPages
  ) throws(LugeError) -> Holding {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try tree.checkOpen()
    guard let (page, found) = tree.descend(key, pin), let leaf = found, !leaf.isPartial else {
      return .missing
    }
    leaf.noteScan()
    // In the order of keys, so a page that is held already is the last one.
    if held.pages.last == page { return .held }
    if !BLinkTree.claimResident(page) { return .busy }
    // Evicted before that, and written to again: whoever completes it needs the claim.
    guard let leaf = page.leaf, !leaf.isPartial else {
      page.releaseClaim()
      return .missing
    }
    held.pages.append(page)
    return .held
  }
}
