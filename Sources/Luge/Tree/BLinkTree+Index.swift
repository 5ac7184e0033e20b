internal import Platform

// The levels above the pages: from a key to its page, and what a split page brings about there.
//
// root (a branch over chunks) -> chunk -> branch over pages -> page
//
// Posting a page replaces its chunk's branch. A branch that has become too large is frozen, and two
// chunks take the place of its chunk in the root; whoever wants to change a frozen chunk helps. A
// reader may still go through the old chunk: what it lacks is reached through right links, or by
// looking again.

extension BLinkTree {
  /// The last posted page whose low key is at or below `key`; nil when its chunk is not in memory.
  /// Pinned.
  @inline(__always)
  func findPage(_ key: ByteView) -> Page? {
    let word = findChunk(key).word.load()
    if !ChunkWord.hasBranch(word) { return nil }
    return Page(address: ChunkWord.branch(word).find(key))
  }

  @inline(__always)
  func findChunk(_ key: ByteView) -> Chunk {
    Chunk(address: Branch(address: root.load()).find(key))
  }

  /// The last posted page that begins below the bound; nil when its chunk is not in memory. Pinned.
  func findLastPage(_ bound: ScanBound, _ key: ByteView) -> Page? {
    let word = findLastChunk(bound, key).word.load()
    if !ChunkWord.hasBranch(word) { return nil }
    let branch = ChunkWord.branch(word)
    return Page(address: branch.node(BLinkTree.lastPosition(branch, bound, key) - 1))
  }

  /// The last chunk that begins below the bound. Pinned.
  func findLastChunk(_ bound: ScanBound, _ key: ByteView) -> Chunk {
    let root = Branch(address: root.load())
    return Chunk(address: root.node(BLinkTree.lastPosition(root, bound, key) - 1))
  }

  private static func lastPosition(_ branch: Branch, _ bound: ScanBound, _ key: ByteView) -> Int {
    switch bound {
    case .unbounded: return branch.count
    case .inclusive: return branch.position(key)
    case .exclusive: return branch.position(key, strictly: true)
    }
  }

  /// Where to go on from a page whose leaf, loaded in this pin, ends too early: to the page that
  /// the index leads to, `found`, if that is further right, else through the leaf's right link. Nil
  /// when the index leads out of memory.
  ///
  /// A right link is followed only when the index, read *after* the leaf, knows of no page further
  /// right: then the right page was not posted when this pin began, so nobody can have retired it
  /// since.
  func step(from page: Page, _ leaf: Leaf, found: Page?, _ pin: Pin) -> Page? {
    guard let found else { return nil }
    if ByteView.compare(found.low, page.low) > 0 { return found }
    precondition(leaf.right != 0, "the page right of one that was paged in is in the index")
    let right = Page(address: leaf.right)
    post(right, pin)
    return right
  }

  /// The high key of a page that is not resident: where the next posted page begins. Pinned. It
  /// counts if the page's word is the same afterwards; so it does not when the chunk is evicted.
  func highKey(ofEvicted page: Page) -> [UInt8]? {
    let root = Branch(address: root.load())
    let place = root.position(page.low)
    let word = Chunk(address: root.node(place - 1)).word.load()
    if !ChunkWord.hasBranch(word) { return nil }
    let branch = ChunkWord.branch(word)
    let next = branch.position(page.low)
    if next < branch.count { return branch.low(next).copy() }
    return place < root.count ? root.low(place).copy() : nil
  }

  /// Enters a page into the index, unless it is there.
  func post(_ page: Page, _ pin: Pin) {
    let low = page.low
    while true {
      let chunk = findChunk(low)
      let word = chunk.word.load()
      // A chunk is evicted when all its pages are, and they were posted before that.
      if !ChunkWord.hasBranch(word) { return }
      let branch = ChunkWord.branch(word)
      let place = branch.position(low)
      let former = branch.node(place - 1)
      // By key: after an eviction another descriptor stands for the same page.
      if former == page.address || IndexNode.low(address: former) == low { return }
      let tag = ChunkWord.tag(word)
      if tag != ChunkWord.resident && tag != ChunkWord.held {
        probe("tree.helpedFrozenChunk")
        // After an injected failure, or in a dead process, trying again might never end.
        if !help(chunk, tag, pin) { return }
        continue
      }
      // After the chunk's word: a page that is taken out later than this look changes that word.
      if PageWord.tag(page.word.load()) == PageWord.removed { return }
      let new = branch.adding(page.address, at: place, after: former, pin)
      guard chunk.word.compareExchange(expected: word, desired: new.address | tag) else {
        new.free(pin)
        continue
      }
      chunk.stamp.store(context.newStamp())
      _ = context.chunks.bytes.fetchAdd(UInt64(page.indexBytes))
      branch.retire(pin)
      if new.count > context.settings.chunkPages {
        splitChunk(chunk, above: context.settings.chunkPages, pin)
      }
      return
    }
  }

  /// False when an injected failure stops it.
  private func help(_ chunk: Chunk, _ tag: UInt64, _ pin: Pin) -> Bool {
    if tag == ChunkWord.frozen {
      return splitChunk(chunk, above: context.settings.chunkPages, pin)
    }
    for image in finishUniting(chunk, tag, pin) { context.released.push(image, pin) }
    return true
  }

  /// Takes a page out whose word is `removed`, unless it is out already, and retires it.
  func unpost(_ page: Page, _ pin: Pin) {
    while true {
      let chunk = findChunk(page.low)
      let word = chunk.word.load()
      if !ChunkWord.hasBranch(word) { return }
      let branch = ChunkWord.branch(word)
      let place = branch.position(page.low) - 1
      if branch.node(place) != page.address { return }
      precondition(place > 0, "the first page of a chunk stays")
      let new = branch.removing(place, pin)
      // Held, so it cannot be frozen: whoever holds it waits for this.
      let desired = new.address | ChunkWord.tag(word)
      guard chunk.word.compareExchange(expected: word, desired: desired) else {
        new.free(pin)
        continue
      }
      chunk.stamp.store(context.newStamp())
      _ = context.chunks.bytes.fetchSubtract(UInt64(page.indexBytes))
      branch.retire(pin)
      page.retire(pin)
      return
    }
  }

  /// Puts two chunks in the place of one whose branch is too large, unless another thread has done
  /// it. A failure that is injected leaves the chunk frozen, to be split by who posts next.
  /// Returns false after such a failure. A chunk of up to `limit` pages stays unless it is frozen.
  @inline(never) @discardableResult
  private func splitChunk(_ chunk: Chunk, above limit: Int, _ pin: Pin) -> Bool {
    var word = chunk.word.load()
    while ChunkWord.tag(word) != ChunkWord.frozen {
      // Held: a later post splits it.
      if ChunkWord.tag(word) != ChunkWord.resident { return true }
      if ChunkWord.branch(word).count <= limit { return true }
      if chunk.word.compareExchange(expected: word, desired: word | ChunkWord.frozen) { break }
      word = chunk.word.load()
    }
    let branch = ChunkWord.branch(word)
    let seen = Branch(address: root.load())
    let isLast = seen.node(seen.count - 1) == chunk.address
    let (left, right) = halve(chunk, branch, isLast: isLast, pin)
    if (try? context.interrupt("tree.chunkFrozen")) == nil {
      discard(left, right, pin)
      return false
    }
    while true {
      let old = Branch(address: root.load())
      let place = old.position(chunk.low)
      guard old.node(place - 1) == chunk.address else {
        probe("tree.chunkSplitLost")
        discard(left, right, pin)
        return true
      }
      let new = old.adding(right.address, at: place, after: left.address, pin)
      if root.compareExchange(expected: old.address, desired: new.address) {
        probe("tree.chunkSplit")
        old.retire(pin)
        branch.retire(pin)
        if let image = chunk.takeImage(pin) { context.released.push(image, pin) }
        chunk.retire(pin)
        return true
      }
      new.free(pin)
    }
  }

  /// Splits the chunk that covers `low`, whose image would not fit into a segment: its keys are long. False
  /// when it cannot be: it is not in memory, is held, or a failure was injected. Unpinned.
  func splitLargeChunk(_ low: [UInt8]) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    let chunk = unsafe low.withUnsafeBytes { unsafe findChunk(ByteView($0)) }
    guard ChunkWord.tag(chunk.word.load()) == ChunkWord.resident else { return false }
    guard splitChunk(chunk, above: 1, pin) else { return false }
    return unsafe low.withUnsafeBytes { unsafe findChunk(ByteView($0)) }.address != chunk.address
  }

  private func halve(
    _ chunk: Chunk, _ branch: Branch, isLast: Bool, _ pin: Pin
  ) -> (left: Chunk, right: Chunk) {
    let count = branch.count
    // Keys that only ever grow would leave half-full chunks behind.
    let at = isLast ? count - max(1, count / 8) : count / 2
    let left = branch.slice(0, at, pin)
    let right = branch.slice(at, count, pin)
    return (
      Chunk.build(pin, low: chunk.low, word: left.address, stamp: context.newStamp()),
      Chunk.build(pin, low: right.low(0), word: right.address, stamp: context.newStamp())
    )
  }

  /// Frees two chunks that nobody else has seen.
  private func discard(_ left: Chunk, _ right: Chunk, _ pin: Pin) {
    for chunk in [left, right] {
      ChunkWord.branch(chunk.word.load()).free(pin)
      chunk.free(pin)
    }
  }

  /// The root of a tree that nobody knows yet, over finished pages in key order; at least one.
  static func makeRoot(_ pages: [Page], _ context: TreeContext, _ pin: Pin) -> Branch {
    // Room for some splits before the first chunk is too large.
    let limit = context.settings.chunkPages
    let portion = max(1, limit - limit / 4)
    var chunks: [UInt64] = []
    var first = 0
    for page in pages { _ = context.chunks.bytes.fetchAdd(UInt64(page.indexBytes)) }
    while first < pages.count {
      let nodes = pages[first..<min(first + portion, pages.count)].map { page in page.address }
      // The arrays outlive the closures, which copy from them.
      let branch = unsafe nodes.withUnsafeBufferPointer {
        unsafe Branch.build(pin, $0.baseAddress.unsafelyUnwrapped, count: nodes.count)
      }
      let chunk = Chunk.build(
        pin, low: pages[first].low, word: branch.address, stamp: context.newStamp())
      chunks.append(chunk.address)
      first += portion
    }
    return makeRoot(chunks, pin)
  }

  static func makeRoot(_ chunks: [UInt64], _ pin: Pin) -> Branch {
    unsafe chunks.withUnsafeBufferPointer {
      unsafe Branch.build(pin, $0.baseAddress.unsafelyUnwrapped, count: chunks.count)
    }
  }
}
