import Platform

/// One walk of a checkpoint over the leaves of all trees: writes out what is dirty or lies in a
/// sparse segment, and lists every leaf's image.
struct CheckpointWalk {
  private let pages: PageStore
  /// Serials, ascending.
  private let sparse: [UInt64]
  private(set) var entries: [DirectoryEntry] = []

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
      let isMoved =
        image.diskAddress != 0 && sparse.contains(PageAddress(rawValue: image.diskAddress).serial)
      do throws(LugeError) {
        address = try pages.append(.leaf, bytes, to: isMoved ? .cold : .hot).address
      } catch {
        // Its flags are cleared, and the image is not there: the leaf must be written again. Pinning
        // fails only for want of a thread slot, and this thread has pinned before.
        try? tree.markDirty(image.page)
        throw error
      }
      tree.wrote(image, at: address.rawValue)
      if isMoved {
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
}
