import Platform

/// One walk of a checkpoint over the chunks of all trees: writes out what has changed, and lists
/// every chunk's image.
struct CheckpointWalk {
  private(set) var chunks: [ChunkEntry] = []

  mutating func visit(_ tree: BLinkTree) throws(LugeError) {
    var key: [UInt8] = []
    // The pages of the chunk before.
    var former = Int.max
    while true {
      let chunk = try tree.writeOutChunk(covering: key, after: former)
      guard let chunk else {
        // It is one with the chunk before, which is to be walked again.
        key = chunks.removeLast().low
        former = .max
        continue
      }
      former = chunk.pages
      if !chunk.wasWritten { probe("checkpoint.chunkKept") }
      chunks.append(
        ChunkEntry(tree: tree.id, low: chunk.low, image: chunk.image, entries: chunk.entries))
      guard let high = chunk.high else { return }
      key = high
    }
  }
}
