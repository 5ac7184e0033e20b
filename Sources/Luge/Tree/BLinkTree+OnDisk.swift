internal import Platform

// What a quiet tree has on disk.

/// A chunk's records in page segments.
struct ChunkOnDisk {
  /// Nil when there is none. It may be out of date.
  let image: PagePart?
  /// Those pages that have parts, in key order.
  let pages: [ChunkPage]
}

extension BLinkTree {
  /// Gives back what the tree has on disk. No operation runs any more, `destroy` comes next. What
  /// cannot be read now stays until its segment is cleaned.
  func releaseParts() throws(LugeError) {
    try waitForLoads()
    var index = 0
    while true {
      var parts: [PagePart] = []
      do throws(LugeError) {
        guard let chunk = try onDisk(chunk: index) else { return }
        if let image = chunk.image { parts.append(image) }
        for page in chunk.pages { parts.append(contentsOf: page.parts) }
      } catch {
        if error.code == .killed { throw error }
        _ = context.pages.counters.chunksUncounted.fetchAdd(1)
      }
      index += 1
      try context.pages.release(parts)
    }
  }

  /// What the chunk at an index has on disk; reads the image of one that is not in memory. Nil: there
  /// is no such chunk.
  func onDisk(chunk index: Int) throws(LugeError) -> ChunkOnDisk? {
    guard let (image, known) = try descriptors(ofChunk: index) else { return nil }
    if let known { return ChunkOnDisk(image: image, pages: known) }
    guard let image else { preconditionFailure("an evicted chunk has an image") }
    return ChunkOnDisk(image: image, pages: try readImage(image).pages)
  }

  private func descriptors(
    ofChunk index: Int
  ) throws(LugeError) -> (image: PagePart?, pages: [ChunkPage]?)? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if self.root.load() == 0 { return nil }
    let root = Branch(address: self.root.load())
    if index >= root.count { return nil }
    let chunk = Chunk(address: root.node(index))
    let image = chunk.image?.part(0)
    if !ChunkWord.hasBranch(chunk.word.load()) { return (image, nil) }
    let end: ByteView? = index + 1 < root.count ? root.low(index + 1) : nil
    var pages: [ChunkPage] = []
    for page in BLinkTree.pages(of: chunk, end: end) {
      guard let parts = page.parts else { continue }
      pages.append(
        ChunkPage(
          low: page.low.copy(), lsn: parts.lsn, entries: parts.entries, parts: parts.copy()))
    }
    return (image, pages)
  }
}
