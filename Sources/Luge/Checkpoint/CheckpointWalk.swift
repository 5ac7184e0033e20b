import Platform

/// One walk of a checkpoint over the chunks of all trees: writes out what has changed or lies in a
/// sparse segment, and lists every chunk's image.
struct CheckpointWalk {
  /// Serials, ascending.
  private let sparse: [UInt64]
  private(set) var chunks: [ChunkEntry] = []

  init(sparse: [UInt64]) { self.sparse = sparse }

  mutating func visit(_ tree: BLinkTree) throws(LugeError) {
    var key: [UInt8] = []
    while true {
      let sparse = sparse
      var isMoved = false
      let chunk = try tree.writeOutChunk(covering: key) { address in
        let isHere = sparse.contains(address.serial)
        if isHere { isMoved = true }
        return isHere
      }
      if !chunk.wasWritten { probe("checkpoint.chunkKept") }
      if chunk.wasWritten && isMoved { probe("checkpoint.leafMoved") }
      chunks.append(
        ChunkEntry(tree: tree.id, low: chunk.low, image: chunk.image, entries: chunk.entries))
      guard let high = chunk.high else { return }
      key = high
    }
  }
}
