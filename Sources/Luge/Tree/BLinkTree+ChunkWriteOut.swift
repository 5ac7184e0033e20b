internal import Platform

// What a checkpoint takes from a tree, chunk by chunk: chunks that have not changed since their
// image was written are only named again.

/// A chunk on disk, as a step of a checkpoint's walk found or wrote it.
struct ChunkState: Sendable {
  let low: [UInt8]
  /// Where the walk goes on. Nil: the last chunk.
  let high: [UInt8]?
  let image: PagePart
  /// Live entries in the image.
  let entries: Int
  /// Pages in the image; `Int.max` when nobody looked, or their keys are so long that the chunk is to
  /// stay by itself.
  let pages: Int
  /// False when what was on disk was as good.
  let wasWritten: Bool
}

extension BLinkTree {
  private enum ChunkLook {
    case kept(ChunkState)
    /// To be walked; the stamp is new.
    case changed(low: [UInt8], high: [UInt8]?, stamp: UInt64)
  }

  /// Sees to it that the chunk that covers `key` is on disk with all its pages, and an image of it.
  /// Unpinned; for one thread at a time.
  ///
  /// Small neighbours among the pages it walked are merged, and then it walks again. If `former`, the
  /// number of pages of the chunk before, and its own are few, it unites the two and answers nil.
  func writeOutChunk(
    covering key: [UInt8], after former: Int = .max
  ) throws(LugeError) -> ChunkState? {
    var mayMerge = true
    while true {
      switch try lookAtChunk(key) {
      case .kept(let state): return state
      case .changed(let low, let high, var stamp):
        let pages = try writeOutPages(low, high, &stamp)
        if mayMerge, try mergeSmall(pages) {
          mayMerge = false
          continue
        }
        let image = ChunkImage(tree: id, high: high, pages: pages)
        let payload = image.encode()
        // Long keys: the image of two such chunks would not fit into a segment.
        let isLarge = payload.count > context.pages.largestPayload / 4
        let room = context.settings.chunkPages - context.settings.chunkPages / 4
        if !isLarge, former < room, former + pages.count <= room, try uniteChunks(low) {
          return nil
        }
        try context.interrupt("checkpoint.chunk")
        if payload.count > context.pages.largestPayload, try splitLargeChunk(low) { continue }
        let part = try context.pages.append(.chunk, payload)
        try adopt(part, image, stamp)
        return ChunkState(
          low: low, high: high, image: part, entries: image.entries,
          pages: isLarge ? .max : pages.count, wasWritten: true)
      }
    }
  }

  private func lookAtChunk(_ key: [UInt8]) throws(LugeError) -> ChunkLook {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let root = Branch(address: root.load())
    // The array outlives the closure; nothing in it is kept.
    let place = unsafe key.withUnsafeBytes { unsafe root.position(ByteView($0)) }
    let chunk = Chunk(address: root.node(place - 1))
    let high = place < root.count ? root.low(place).copy() : nil
    let stamp = chunk.stamp.load()
    let word = chunk.word.load()
    if let image = chunk.image {
      let part = image.part(0)
      let state = ChunkState(
        low: chunk.low.copy(), high: high, image: part, entries: image.entries, pages: .max,
        wasWritten: false)
      if !ChunkWord.hasBranch(word) { return .kept(state) }
      if image.lsn == stamp && !BLinkTree.isChanged(ChunkWord.branch(word)),
        // Once more: who writes a leaf out changes the stamp, then clears the leaf's flags.
        chunk.stamp.load() == stamp
      {
        return .kept(state)
      }
    }
    // Before the walk, which changes the pages' parts: if it fails, the image counts no more. What
    // others change later gives the chunk yet another one.
    let new = context.newStamp()
    chunk.stamp.store(new)
    return .changed(low: chunk.low.copy(), high: high, stamp: new)
  }

  /// Whether a leaf is dirty, or being written out. The flag is
  /// looked at before the claim: an evictor or the cleaner clears it under the claim, long before
  /// the page names what it has written. (Pages that are not posted need no look: the one before was dirty when they came to be, and when it is written out the
  /// chunk's stamp changes.)
  private static func isChanged(_ branch: Branch) -> Bool {
    var index = 0
    while index < branch.count {
      let page = Page(address: branch.node(index))
      if let leaf = page.leaf, leaf.flags.load() & Leaf.dirty != 0 { return true }
      if page.isClaimed { return true }
      if page.parts == nil { return true }
      index += 1
    }
    return false
  }

  /// From low key to high key, each page going on where the image of the one before ended: so there
  /// is no gap and no overlap, whatever splits meanwhile.
  private func writeOutPages(
    _ low: [UInt8], _ high: [UInt8]?, _ stamp: inout UInt64
  ) throws(LugeError) -> [ChunkPage] {
    var pages: [ChunkPage] = []
    var key = low
    while true {
      let image = try writeOut(covering: key, stamp: stamp)
      // Unless others have changed the chunk: then the walk keeps a stamp that is no more.
      if let new = image.stamp { stamp = new }
      pages.append(
        ChunkPage(
          low: image.low, lsn: image.lsn, entries: image.entries, parts: image.parts,
          values: image.values))
      guard let next = image.high, high.map({ end in compareKeys(next, end) < 0 }) ?? true else {
        return pages
      }
      key = next
    }
  }

  /// Makes an image the chunk's, if that has not changed since the stamp was given; otherwise only the
  /// checkpoint that is under way names it.
  private func adopt(
    _ part: PagePart, _ image: ChunkImage, _ stamp: UInt64
  ) throws(LugeError) {
    let (isAdopted, former) = try adoptPinned(part, image, stamp)
    if !isAdopted {
      probe("checkpoint.chunkOutrun")
      try context.pages.release([part])
    } else if let former {
      try context.pages.release([former], isNamed: false)
    }
  }

  private func adoptPinned(
    _ part: PagePart, _ image: ChunkImage, _ stamp: UInt64
  ) throws(LugeError) -> (Bool, PagePart?) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let chunk = unsafe image.low.withUnsafeBytes { unsafe findChunk(ByteView($0)) }
    // Loaded before the stamp: who evicts the chunk meanwhile puts another image here.
    let former = chunk.image
    // Stamps are never used twice, so it is the same chunk.
    guard chunk.stamp.load() == stamp else { return (false, nil) }
    let list = PartList.build(
      pin, lsn: stamp, entries: image.entries, [part], values: SegmentBytes())
    let formerPart = former?.part(0)
    if chunk.replaceImage(former, list, pin) { return (true, formerPart) }
    list.free(pin)
    return (false, nil)
  }

  /// Gives the chunk that covers a page a new stamp, after the page's parts have changed and before
  /// the page is evicted: the chunk may go at once, and must not go with an image that is out of
  /// date. Answers the stamp if `walk` was the chunk's: the walk goes on with it. Pinned.
  func noteChange(of page: Page, walk: UInt64) -> UInt64? {
    let stamp = findChunk(page.low).stamp
    let new = context.newStamp()
    if stamp.compareExchange(expected: walk, desired: new) { return new }
    stamp.store(new)
    return nil
  }
}
