internal import Platform

// Merging: a page whose neighbour to the left has room for its entries goes. One thread begins
// merges, one at a time and never while a checkpoint's walk is inside the chunk; from the moment at
// which the right page is `leaving`, anyone may bring it to its end, and whoever needs the page does.
//
// 1. The right page is not its chunk's first, and the chunk is *held*: neither split nor evicted.
// 2. Right word: leaf -> leaving. From here on nobody comes to its leaf by the page.
// 3. Freeze the right leaf: what was installed by those who had it before is in it, nothing more
//    comes.
// 4. Find the left leaf by key: the one that ends where the right page begins. Freeze it, build the
//    union (high key and right link of the right leaf), swing it in. If the leaf that covers the key
//    before the right page's low key ends beyond it, this was done.
// 5. Right word: leaving -> removed. Then the page is taken out of its chunk's branch and retired.
//
// The union has all records of both, as they are: nothing is left out, so helpers who read the right
// leaf late still find everything in it. Leaves are consolidated before.

extension BLinkTree {
  /// What became of a page that was leaving.
  enum Leaving {
    /// It is gone; its parts are the caller's to release, unless another thread took them.
    case gone([PagePart])
    /// A page with this low key has to be in memory for that.
    case missing([UInt8])
  }

  /// Merges small neighbours among the pages of one chunk, as a walk has just listed them. True when
  /// a page went. Unpinned.
  func mergeSmall(_ pages: [ChunkPage]) throws(LugeError) -> Bool {
    try letGoOfLeftover(pages[0].low)
    var merged = false
    var left = (entries: EntryCount.known(pages[0].entries), bytes: BLinkTree.bytes(pages[0]))
    var index = 1
    while index < pages.count {
      let page = pages[index]
      index += 1
      let both = (left.entries + EntryCount.known(page.entries), left.bytes + BLinkTree.bytes(page))
      let fits =
        both.0 <= context.settings.leafEntries / 2 && both.1 <= context.settings.leafBytes / 2
      if fits, try merge(page.low) {
        merged = true
        left = both
      } else {
        left = (EntryCount.known(page.entries), BLinkTree.bytes(page))
      }
    }
    return merged
  }

  /// A merge that could not be ended left its chunk held.
  private func letGoOfLeftover(_ low: [UInt8]) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    unsafe low.withUnsafeBytes { unsafe letGo(ByteView($0)) }
  }

  private static func bytes(_ page: ChunkPage) -> Int {
    var sum = 0
    for part in page.parts { sum += part.length }
    return sum
  }

  private enum Beginning {
    /// Both are resident, and their claims are the caller's.
    case claimed(left: Page, right: Page)
    case missing([UInt8])
    case no
  }

  /// Merges the page that begins at `low` into the one before. False when that cannot be now.
  private func merge(_ low: [UInt8]) throws(LugeError) -> Bool {
    var tries = 0
    while true {
      switch try claimPair(low) {
      case .no: return false
      case .missing(let key):
        tries += 1
        // What comes may go again at once where memory is short.
        if tries > 4 { return false }
        try pageIn(key, closedToo: true)
      case .claimed(let left, let right):
        // A page that goes must not be met by who evicts.
        let link = CacheLink(right.address)
        guard try context.cache.take(link) else {
          try release(left, right)
          return false
        }
        guard try beginMerge(left, right) else {
          context.cache.giveBack(link)
          try release(left, right)
          return false
        }
        // A failure that is injected is a thread that stops here for a while.
        try? context.interrupt("tree.leaving")
        let parts = try finishMerge(left, right, low)
        try context.pages.release(parts, isNamed: false)
        probe("tree.leavesMerged")
        return true
      }
    }
  }

  private func claimPair(_ low: [UInt8]) throws(LugeError) -> Beginning {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    return unsafe low.withUnsafeBytes { low in
      let key = unsafe ByteView(low)
      guard let right = findPage(key), right.low == key, let rightLeaf = right.leaf,
        !rightLeaf.isPartial
      else { return .missing(key.copy()) }
      guard let (left, found) = findLeft(key, pin) else { return .no }
      guard let leftLeaf = found, !leftLeaf.isPartial else { return .missing(left.low.copy()) }
      // For the tombstones. What fails here leaves a frozen leaf, which the next to meet it rebuilds.
      try? consolidate(left, leftLeaf, pin)
      try? consolidate(right, rightLeaf, pin)
      guard BLinkTree.claimResident(left) else { return .no }
      guard BLinkTree.claimResident(right) else {
        left.releaseClaim()
        return .no
      }
      // Evicted meanwhile, and written to again.
      if left.leaf?.isPartial ?? true || right.leaf?.isPartial ?? true {
        right.releaseClaim()
        left.releaseClaim()
        return .no
      }
      return .claimed(left: left, right: right)
    }
  }

  private func release(_ left: Page, _ right: Page) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    right.releaseClaim()
    left.releaseClaim()
  }

  /// Steps 1 and 2.
  private func beginMerge(_ left: Page, _ right: Page) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    guard hold(right) else { return false }
    if let leaf = right.leaf, fits(left, leaf),
      right.word.compareExchange(expected: leaf.address, desired: leaf.address | PageWord.leaving)
    {
      return true
    }
    letGo(right.low)
    return false
  }

  /// Whether a leaf with everything of both would be no larger than leaves are, by and large.
  private func fits(_ left: Page, _ right: Leaf) -> Bool {
    guard let left = left.leaf else { return false }
    return left.sortedCount + right.sortedCount <= context.settings.leafEntries
      && left.knownWeight + right.knownWeight <= context.settings.leafBytes
  }

  /// Holds the page's chunk, if the page is in it and not the first. (The chunk may be held already:
  /// by a merge that failed to read a page. There is one thread that merges.)
  private func hold(_ page: Page) -> Bool {
    while true {
      let chunk = findChunk(page.low)
      let word = chunk.word.load()
      guard ChunkWord.hasBranch(word) else { return false }
      let tag = ChunkWord.tag(word)
      guard tag == ChunkWord.resident || tag == ChunkWord.held else { return false }
      let branch = ChunkWord.branch(word)
      let place = branch.position(page.low) - 1
      guard place > 0, branch.node(place) == page.address else { return false }
      if tag == ChunkWord.held { return true }
      if chunk.word.compareExchange(expected: word, desired: word | ChunkWord.held) { return true }
    }
  }

  /// Ends the holding of the chunk that covers a key, if it is held, unless a page of it is still
  /// about to go. For the thread that merges.
  func letGo(_ key: ByteView) {
    while true {
      let chunk = findChunk(key)
      let word = chunk.word.load()
      guard ChunkWord.tag(word) == ChunkWord.held else { return }
      let branch = ChunkWord.branch(word)
      var index = 0
      while index < branch.count {
        let tag = PageWord.tag(Page(address: branch.node(index)).word.load())
        if tag == PageWord.leaving || tag == PageWord.removed { return }
        index += 1
      }
      if chunk.word.compareExchange(expected: word, desired: branch.address) { return }
    }
  }

  /// Steps 3 to 5, whatever it takes; then everything is given back.
  private func finishMerge(
    _ left: Page, _ right: Page, _ low: [UInt8]
  ) throws(LugeError) -> [PagePart] {
    while true {
      switch try finishMergePinned(left, right, low) {
      case .gone(let parts): return parts
      case .missing(let key):
        do throws(LugeError) { try pageIn(key, closedToo: true) } catch {
          // The page stays leaving, its chunk held; who needs the page goes on. The left one is in
          // memory as long as it is claimed.
          left.releaseClaim()
          throw error
        }
      }
    }
  }

  private func finishMergePinned(
    _ left: Page, _ right: Page, _ low: [UInt8]
  ) throws(LugeError) -> Leaving {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // Taken out by a helper, the page may be freed: it is not looked at before it is found. (Another
    // page of the same low key at the same address is resident or on disk, and left alone.)
    let page = unsafe low.withUnsafeBytes { unsafe findPage(ByteView($0)) }
    var parts: [PagePart] = []
    if page == right {
      switch finishLeaving(right, pin) {
      case .missing(let key): return .missing(key)
      case .gone(let found): parts = found
      }
    }
    left.releaseClaim()
    unsafe low.withUnsafeBytes { unsafe letGo(ByteView($0)) }
    return .gone(parts)
  }

  /// Brings the merge of a page to its end. For anyone; pinned, waits for nothing.
  func finishLeaving(_ right: Page, _ pin: Pin) -> Leaving {
    let word = right.word.load()
    var parts: [PagePart] = []
    if PageWord.tag(word) == PageWord.leaving {
      let leaf = Leaf(address: PageWord.body(word))
      leaf.freeze()
      if let key = unite(right, leaf, word, pin) { return .missing(key) }
      if right.word.compareExchange(expected: word, desired: PageWord.removed) {
        leaf.retire(pin)
        parts = right.parts?.copy() ?? []
      }
    }
    if PageWord.tag(right.word.load()) == PageWord.removed { unpost(right, pin) }
    return .gone(parts)
  }

  /// Step 4. The low key of a page that is not in memory, if that is in the way.
  private func unite(_ right: Page, _ rightLeaf: Leaf, _ word: UInt64, _ pin: Pin) -> [UInt8]? {
    while right.word.load() == word {
      guard let (left, found) = findLeft(right.low, pin) else { continue }
      guard let leaf = found, !leaf.isPartial else { return left.low.copy() }
      // It ends beyond: the union is there.
      if !leaf.hasHigh || ByteView.compare(leaf.high, right.low) > 0 { return nil }
      leaf.freeze()
      if left.word.load() != leaf.address { continue }
      let union = buildUnion(leaf, rightLeaf, pin)
      if left.word.compareExchange(expected: leaf.address, desired: union.address) {
        leaf.retire(pin)
        return nil
      }
      union.free(pin)
    }
    return nil
  }

  /// The page before the one that begins at `low`, and its leaf; nil in it: it is not in memory. Nil
  /// when the index is about to change.
  private func findLeft(_ low: ByteView, _ pin: Pin) -> (page: Page, leaf: Leaf?)? {
    let bound = ScanBound.exclusive(low.copy())
    guard var page = findLastPage(bound, low) else { return nil }
    while true {
      guard let leaf = page.leaf else { return (page, nil) }
      guard leaf.hasHigh, ByteView.compare(leaf.high, low) < 0 else { return (page, leaf) }
      guard let right = step(from: page, leaf, found: findLastPage(bound, low), pin) else {
        return nil
      }
      page = right
    }
  }

  private func buildUnion(_ left: Leaf, _ right: Leaf, _ pin: Pin) -> Leaf {
    let (first, second) = (LeafOrder(left), LeafOrder(right))
    defer {
      first.free()
      second.free()
    }
    let count = first.count + second.count
    let records = UnsafeMutablePointer<UInt64>.allocate(capacity: count + 1)
    defer { unsafe records.deallocate() }
    var index = 0
    // Within the capacity: as many as both have.
    while index < count {
      unsafe records[index] =
        index < first.count ? first.address(index) : second.address(index - first.count)
      index += 1
    }
    return unsafe LeafBuilder.build(
      pin, UnsafePointer(records), count: count, appendWords: context.settings.appendWords,
      high: right.hasHigh ? right.high : nil, right: right.right,
      flags: Leaf.dirty | Leaf.baseOnly)
  }
}
