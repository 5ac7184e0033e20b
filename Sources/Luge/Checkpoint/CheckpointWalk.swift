import Platform

/// One walk of a checkpoint over the leaves of all trees: writes out what is dirty or lies in a
/// sparse segment, and lists every leaf's image.
struct CheckpointWalk {
  /// Serials, ascending.
  private let sparse: [UInt64]
  private(set) var entries: [DirectoryEntry] = []

  init(sparse: [UInt64]) { self.sparse = sparse }

  mutating func visit(_ tree: BLinkTree) throws(LugeError) {
    var key: [UInt8] = []
    while true {
      let sparse = sparse
      var isMoved = false
      let image = try tree.writeOut(covering: key) { part in
        isMoved = sparse.contains(part.serial)
        return isMoved
      }
      if !image.wasWritten { probe("checkpoint.leafKept") }
      if image.wasWritten && isMoved { probe("checkpoint.leafMoved") }
      entries.append(
        DirectoryEntry(
          tree: tree.id, lowKey: image.low, address: image.parts[0].address,
          length: image.parts[0].length, imageLSN: image.lsn,
          liveEntries: UInt64(image.entries)))
      guard let high = image.high else { return }
      key = high
    }
  }
}
