import Platform

/// One walk of a checkpoint over the chunks of all trees: writes out what has changed, and lists
/// every chunk's image.
struct CheckpointWalk {
  private(set) var chunks: [ChunkEntry] = []

  mutating func visit(_ tree: BLinkTree) throws(LugeError) {
    var key: [UInt8] = []
    while true {
      // To move what has not changed is the cleaner's work.
      let chunk = try tree.writeOutChunk(covering: key) { _ in false }
      if !chunk.wasWritten { probe("checkpoint.chunkKept") }
      chunks.append(
        ChunkEntry(tree: tree.id, low: chunk.low, image: chunk.image, entries: chunk.entries))
      guard let high = chunk.high else { return }
      key = high
    }
  }
}
