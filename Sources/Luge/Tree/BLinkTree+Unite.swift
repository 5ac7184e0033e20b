internal import Platform

// Uniting: a chunk whose neighbour has room for its pages goes. The thread that merges pages begins
// it, one pair at a time: it holds both chunks (so neither is split or evicted), then makes the left
// one `uniting`. From here on anyone who wants to change one of the two helps: freeze the right one
// likewise, build one chunk over the pages of both, put it in the place of the two by one
// compare-and-swap of the root.

extension BLinkTree {
  /// Unites the chunk that begins at `low` with the one before. False when that cannot be now.
  /// Unpinned.
  func uniteChunks(_ low: [UInt8]) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    var images: [PagePart] = []
    let begun = unsafe low.withUnsafeBytes { low in
      // The array outlives the closure; nothing in it is kept.
      let key = unsafe ByteView(low)
      guard let left = holdPair(key) else { return false }
      // A failure that is injected is a thread that stops here for a while.
      try? context.interrupt("tree.uniting")
      images = finishUniting(left, ChunkWord.unitingLeft, pin)
      return true
    }
    pin.end()
    if begun { probe("tree.chunksUnited") }
    try context.pages.release(images, isNamed: false)
    return begun
  }

  /// Holds both chunks and makes the left one uniting. Answers that; nil when it cannot be.
  private func holdPair(_ low: ByteView) -> Chunk? {
    let root = Branch(address: root.load())
    let place = root.position(low)
    guard place >= 2, root.low(place - 1) == low else { return nil }
    let left = Chunk(address: root.node(place - 2))
    let right = Chunk(address: root.node(place - 1))
    guard let leftWord = hold(left) else { return nil }
    guard let rightWord = hold(right) else {
      letGo(left.low)
      return nil
    }
    let count = ChunkWord.branch(leftWord).count + ChunkWord.branch(rightWord).count
    let uniting = leftWord & ~ChunkWord.held | ChunkWord.unitingLeft
    if count <= context.settings.chunkPages,
      left.word.compareExchange(expected: leftWord, desired: uniting)
    {
      return left
    }
    letGo(right.low)
    letGo(left.low)
    return nil
  }

  /// Answers the held word; nil when the chunk is not in memory, or about to be replaced.
  private func hold(_ chunk: Chunk) -> UInt64? {
    while true {
      let word = chunk.word.load()
      let tag = ChunkWord.tag(word)
      if tag == ChunkWord.held { return word }
      guard tag == ChunkWord.resident else { return nil }
      let held = word | ChunkWord.held
      if chunk.word.compareExchange(expected: word, desired: held) { return held }
    }
  }

  /// Puts one chunk in the place of two, unless that was done. Answers the images of the two if it
  /// was this thread that did it: the caller's to release. Pinned, waits for nothing.
  func finishUniting(_ chunk: Chunk, _ tag: UInt64, _ pin: Pin) -> [PagePart] {
    let seen = Branch(address: root.load())
    let place = seen.position(chunk.low) - 1
    guard seen.node(place) == chunk.address else { return [] }
    let first = tag == ChunkWord.unitingLeft ? place : place - 1
    let left = Chunk(address: seen.node(first))
    let right = Chunk(address: seen.node(first + 1))
    freeze(right)
    let branches = (ChunkWord.branch(left.word.load()), ChunkWord.branch(right.word.load()))
    let union = Branch.union(branches.0, branches.1, pin)
    let new = Chunk.build(pin, low: left.low, word: union.address, stamp: context.newStamp())
    while true {
      let old = Branch(address: root.load())
      let place = old.position(left.low) - 1
      guard old.node(place) == left.address else {
        new.free(pin)
        union.free(pin)
        return []
      }
      let joined = old.joining(place, into: new.address, pin)
      if root.compareExchange(expected: old.address, desired: joined.address) {
        old.retire(pin)
        branches.0.retire(pin)
        branches.1.retire(pin)
        var images: [PagePart] = []
        for gone in [left, right] {
          if let image = gone.takeImage(pin) { images.append(image) }
          gone.retire(pin)
        }
        return images
      }
      joined.free(pin)
    }
  }

  /// Held before, it becomes uniting.
  private func freeze(_ chunk: Chunk) {
    while true {
      let word = chunk.word.load()
      guard ChunkWord.tag(word) == ChunkWord.held else { return }
      let uniting = word & ~ChunkWord.held | ChunkWord.unitingRight
      if chunk.word.compareExchange(expected: word, desired: uniting) { return }
    }
  }
}
