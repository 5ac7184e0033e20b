import Platform

/// One walk of a checkpoint over the leaves of all trees: writes out what is dirty or lies in a
/// sparse segment, and lists every leaf's image.
struct CheckpointWalk {
  private let pages: PageStore
  /// Serials, ascending.
  private let sparse: [UInt64]
  private(set) var entries: [DirectoryEntry] = []
  private var written: [(tree: BLinkTree, page: Page)] = []

  init(pages: PageStore, sparse: [UInt64]) {
    self.pages = pages
    self.sparse = sparse
  }

  mutating func visit(_ tree: BLinkTree) throws(LugeError) {
    var key: [UInt8] = []
    while true {
      let sparse = sparse
      let image = try tree.writeOut(covering: key) { address in
        sparse.contains(PageAddress(rawValue: address).serial)
      }
      try note(image, of: tree)
      guard let high = image.high else { return }
      key = high
    }
  }

  private mutating func note(_ image: PageImage, of tree: BLinkTree) throws(LugeError) {
    var address = PageAddress(rawValue: image.diskAddress)
    if let bytes = image.bytes {
      // Noted first: its flags are cleared, and a failure must set them again.
      written.append((tree, image.page))
      address = try pages.append(.leaf, bytes)
      tree.wrote(image, at: address.rawValue)
      if image.diskAddress != 0 && sparse.contains(PageAddress(rawValue: image.diskAddress).serial)
      {
        probe("checkpoint.leafMoved")
      }
    } else {
      probe("checkpoint.leafKept")
    }
    entries.append(
      DirectoryEntry(
        tree: tree.id, lowKey: image.low, address: address, length: image.byteCount,
        imageLSN: image.lsn, liveEntries: UInt64(image.entries)))
  }

  /// After a failure: nothing written by this walk counts.
  func undo() {
    // Pinning fails only for want of a thread slot, and this thread has pinned before.
    for item in written { try? item.tree.markDirty(item.page) }
  }
}
