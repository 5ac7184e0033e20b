internal import Platform

// Blind writes. Who sets a value and does not ask for the former one need not have the page in memory:
// an evicted page gets a *partial* leaf, which has only what is written from then on. It is written out
// as any leaf is, as a fragment that names the newest part; so many writes share one write-out, and the
// page is read only when somebody asks for what the leaf lacks, when a base is due, or when the leaf is full.
//
// 1. Begin, pinned: the page's word goes from evicted to an empty partial leaf. What is on disk stays
//    named by the page's parts.
// 2. A partial leaf takes values only, and none that lies apart; nor is there one over a page that names such
//    values. Removals and exchanges that find no record in it, readers
//    that find none, and all scans ask for the page: `pageIn` completes it.
// 3. Completion, under the page's claim: read the parts, unpinned; then pinned: freeze the leaf, merge
//    its records with the rows, swing the complete leaf in. Undecided records are waited for, unpinned.
// 4. Of a key that the leaf has and the disk too, the disk's version is needed only if a snapshot may
//    lie below the leaf's oldest one: then the chain is copied onto it. (Chains in use only get shorter.)
//
// Counting: a blind write takes the entry to be there already. What the disk lacks is counted when the page is
// completed. Until then the counts of entries of page and chunk on disk are inexact (`EntryCount`);
// whoever reads such a page, blindly written before, corrects the tree's count by the difference.

extension BLinkTree {
  /// Places for new keys in a partial leaf.
  var partialWords: Int { min(8, context.settings.appendWords) }

  /// Whether a partial leaf takes no more keys.
  @inline(__always)
  func isFull(partial leaf: Leaf, _ slot: LeafSlot) -> Bool {
    slot.index == leaf.wordCount && slot.word & Leaf.frozen == 0
      && (4 * leaf.sortedCount >= context.settings.leafEntries || leaf.isHeavy(context.settings))
  }

  /// Gives an evicted page that covers `key` a leaf for blind writes. Nil when it cannot have one
  /// now. Pinned.
  @inline(never)
  func beginPartial(_ page: Page, _ key: ByteView, _ pin: Pin) -> Leaf? {
    let word = page.word.load()
    // While pages are brought up to date after a crash, each has to come into memory for that.
    guard PageWord.tag(word) == PageWord.evicted, context.replayLSN.load() == 0,
      !context.pending.isAttached,
      // What is written over a value that lies apart has to give it up.
      let parts = page.parts, !parts.namesValues
    else { return nil }
    let high = highKey(ofEvicted: page)
    if let high, unsafe high.withUnsafeBytes({ unsafe ByteView.compare(key, ByteView($0)) >= 0 }) {
      return nil
    }
    let leaf = emptyPartial(high, pin)
    // The word names a part that the page has had at no other time, so the high key is still right.
    guard page.word.compareExchange(expected: word, desired: leaf.address) else {
      leaf.free(pin)
      return nil
    }
    // Before anything is written to it.
    _ = inexact.fetchAdd(1)
    // Nobody takes it away before it is in the cache.
    context.cache.add(CacheLink(page.address))
    probe("cache.partialBegun")
    return leaf
  }

  private func emptyPartial(_ high: [UInt8]?, _ pin: Pin) -> Leaf {
    // No record is looked at.
    let none = unsafe UnsafePointer(
      UnsafeMutablePointer<UInt64>(bitPattern: 16).unsafelyUnwrapped)
    let flags = Leaf.dirty | Leaf.partial
    guard let high else {
      return unsafe LeafBuilder.build(
        pin, none, count: 0, appendWords: partialWords, high: nil, right: 0, flags: flags)
    }
    // The array outlives the closure, which copies from it.
    return unsafe high.withUnsafeBytes {
      unsafe LeafBuilder.build(
        pin, none, count: 0, appendWords: partialWords, high: ByteView($0), right: 0,
        flags: flags)
    }
  }

  /// Reads what a partial leaf lacks. The caller has the page's claim, and the tree is not freed
  /// meanwhile. Unpinned. Does nothing where the leaf is complete.
  func complete(_ page: Page) throws(LugeError) {
    guard let loading = try whatIsLacking(page) else { return }
    try context.interrupt("cache.load")
    let records = try context.pages.read(loading.parts, .leaf)
    var attempt = 0
    while try !complete(loading, records, abortingBatches: attempt > 16) {
      probe("cache.partialAwaited")
      try context.backOff(attempt, "waiting for a write")
      attempt += 1
    }
    probe("cache.partialCompleted")
  }

  private func whatIsLacking(_ page: Page) throws(LugeError) -> PageLoading? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    guard let leaf = page.leaf, leaf.isPartial, let parts = page.parts else { return nil }
    return PageLoading(
      page: page, low: page.low.copy(), word: 0, parts: parts.copy(), lsn: parts.lsn,
      entries: parts.entries, high: leaf.hasHigh ? leaf.high.copy() : nil)
  }

  /// False when a record is undecided, or somebody has replaced the leaf.
  private func complete(
    _ loading: PageLoading, _ records: [PageRecord], abortingBatches: Bool
  ) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    guard let leaf = loading.page.leaf, leaf.isPartial else { return true }
    leaf.freeze()
    guard isDecided(leaf, abortingBatches: abortingBatches) else {
      // Thawed: a copy takes its place.
      try? consolidate(loading.page, leaf, pin)
      return false
    }
    var merge = LeafMerge(leaf, context)
    defer { merge.free() }
    do throws(LugeError) {
      try LeafDecoder.reading(
        loading.parts, records, tree: id, low: loading.page.low, contexts: context.codecs
      ) { (decoder) throws(LugeError) in
        try merge.take(&decoder, loading, pin)
      }
    } catch {
      merge.undo(pin)
      throw placed(error, loading.parts[0].address)
    }
    let new = unsafe LeafBuilder.build(
      pin, merge.records, count: merge.count, appendWords: context.settings.appendWords,
      high: leaf.hasHigh ? leaf.high : nil, right: leaf.right, flags: Leaf.dirty | Leaf.unused,
      settledBelow: context.log.tail)
    guard loading.page.word.compareExchange(expected: leaf.address, desired: new.address) else {
      new.free(pin)
      merge.undo(pin)
      return false
    }
    merge.retireReplaced(pin)
    leaf.retire(pin)
    correctCount(loading, merge.rows, absent: merge.absent, pin)
    return true
  }

  /// Whether every word's record is committed or aborted. Batches in the way are aborted if said so.
  private func isDecided(_ leaf: Leaf, abortingBatches: Bool) -> Bool {
    var index = 0
    while index < leaf.wordCount {
      let address = Leaf.record(leaf.word(index).load())
      if address == 0 { return true }
      let word = Record(address: address).version.load()
      switch VersionWord.state(word) {
      case VersionWord.pending: return false
      case VersionWord.transaction:
        let descriptor = CommitDescriptor(address: VersionWord.body(word))
        if abortingBatches { descriptor.abort() }
        let state = VersionWord.state(descriptor.word.load())
        if state != VersionWord.committed && state != VersionWord.aborted { return false }
      default: break
      }
      index += 1
    }
    return true
  }

  /// After a page was read: it has `rows` entries on disk, and `absent` keys of its leaf were not among
  /// them though their writers thought so. Pinned; the caller has the claim, or the page is `loading`
  /// by it.
  func correctCount(_ loading: PageLoading, _ rows: Int, absent: Int, _ pin: Pin) {
    let change = rows - EntryCount.known(loading.entries) + absent
    if change != 0 {
      _ = countStripe(pin).fetchAdd(UInt64(bitPattern: Int64(change)))
    }
    if EntryCount.isExact(loading.entries) { return }
    let values = loading.page.parts?.values ?? SegmentBytes()
    let list = PartList.build(
      pin, lsn: loading.lsn, entries: rows, loading.parts, values: values)
    _ = loading.page.setParts(list, pin)
    _ = noteChange(of: loading.page, walk: 0)
  }

  // MARK: Counting

  /// Reads the pages that were written blindly, so that `count` is exact. Unpinned.
  func makeCountExact(closedToo: Bool = false) throws(LugeError) {
    var rounds = 0
    while true {
      let seen = inexact.load()
      // Who never stops writing keeps nobody from counting.
      if seen == 0 || rounds == 3 { return }
      rounds += 1
      var found = false
      var next: [UInt8]? = []
      while let key = next {
        switch try lookForInexact(key) {
        case .end: next = nil
        case .next(let low): next = low
        case .inexact(let low):
          found = true
          try pageIn(low, closedToo: closedToo)
          next = low
        }
      }
      if !found { _ = inexact.compareExchange(expected: seen, desired: 0) }
    }
  }

  private enum Inexact {
    case end
    /// Goes on at this key.
    case next([UInt8])
    /// A page or chunk is to be read.
    case inexact([UInt8])
  }

  /// Looks through one chunk from `key` on.
  private func lookForInexact(_ key: [UInt8]) throws(LugeError) -> Inexact {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let address = root.load()
    if address == 0 { return .end }
    let root = Branch(address: address)
    // The array outlives the closures; nothing in it is kept.
    let place = unsafe key.withUnsafeBytes { unsafe root.position(ByteView($0)) }
    let chunk = Chunk(address: root.node(place - 1))
    let next: Inexact = place < root.count ? .next(root.low(place).copy()) : .end
    let word = chunk.word.load()
    guard ChunkWord.hasBranch(word) else {
      if let image = chunk.image, EntryCount.isExact(image.entries) { return next }
      return .inexact(key)
    }
    let branch = ChunkWord.branch(word)
    var index = unsafe key.withUnsafeBytes { unsafe branch.position(ByteView($0)) } - 1
    while index < branch.count {
      let page = Page(address: branch.node(index))
      let isPartial = page.leaf.map(\.isPartial) ?? false
      let isInexact =
        page.leaf == nil && !(page.parts.map { EntryCount.isExact($0.entries) } ?? true)
      if isPartial || isInexact { return .inexact(page.low.copy()) }
      index += 1
    }
    return next
  }
}
