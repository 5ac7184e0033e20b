internal import Platform

// A batch is installed within one pin, so all its leaves must be in memory at once.

extension BatchCommit {
  /// Sees to it that the leaves of the writes from `first` on were in memory a moment ago.
  func pageInAll(from first: Int) throws(LugeError) {
    var index = first
    while index < writes.count {
      try writes[index].tree.pageIn(writes[index].key)
      index += 1
    }
  }

  /// The same for all, and takes the claims of their pages, so that they stay there. One batch at a
  /// time does this, and all others hold one claim at most: nobody waits in a circle.
  func holdAll(_ held: inout [Page]) throws(LugeError) {
    probe("tree.batchHeldPages")
    var index = 0
    var attempt = 0
    while index < writes.count {
      switch try hold(writes[index], &held) {
      case .held:
        index += 1
        attempt = 0
      case .missing: try writes[index].tree.pageIn(writes[index].key)
      case .busy:
        try context.backOff(attempt, "waiting for a page")
        attempt += 1
      }
    }
  }

  private enum Holding {
    case held
    case missing
    case busy
  }

  private func hold(_ write: BatchWrite, _ held: inout [Page]) throws(LugeError) -> Holding {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try write.tree.checkOpen()
    // The array outlives the closure; nothing in it is kept.
    let found = unsafe write.key.withUnsafeBytes {
      unsafe write.tree.descend(ByteView($0), pin)
    }
    guard let (page, leaf) = found, leaf != nil else { return .missing }
    // In the order of keys, so a page that is held already is the last one.
    if held.last == page { return .held }
    if !BLinkTree.claimResident(page) { return .busy }
    held.append(page)
    return .held
  }

  static func release(_ held: inout [Page]) {
    for page in held { page.releaseClaim() }
    held.removeAll(keepingCapacity: true)
  }
}
