internal import Platform

// Consolidation and split, by whoever meets a frozen, full or heavy leaf. Any number of threads may
// do it at once: each freezes (the same bits), each builds its own candidate, one wins.

extension Leaf {
  /// True when the leaf may have more than one entry.
  @inline(__always)
  var hasSeveral: Bool {
    sortedCount > 1 || (wordCount > 1 && Leaf.record(word(1).load()) != 0)
  }

  /// Freezes all words: those that hold a record, and the first empty append word. Afterwards no
  /// word of the leaf changes.
  func freeze() {
    let end = wordCount
    let words = unsafe words
    var index = 0
    while index < end {
      let former = unsafe WordRef(words, 8 &* index).fetchOr(Leaf.frozen)
      if Leaf.record(former) == 0 { return }
      index &+= 1
    }
  }
}

/// What a rebuild of a leaf keeps and leaves out.
@safe private struct Rebuild {
  /// Addresses of the records kept, by key, those of settled ones with that bit; then, from
  /// `capacity` on, the heads of their keys; then, from twice that on, the records left out.
  let records: UnsafeMutablePointer<UInt64>
  let capacity: Int
  var kept = 0
  var dropped = 0
  /// About: begins as the leaf's.
  var weight: Int
  /// Everything appended came after everything in key order.
  var ascending = false
  var droppedTombstone = false
  /// Above all LSNs of settled records, and no higher than need be: a scan at an older snapshot has to
  /// look at each of them.
  private(set) var settledBelow: UInt64 = 0
  /// No reader needs what was replaced below this LSN.
  let horizon: UInt64

  @unsafe
  init(
    _ records: UnsafeMutablePointer<UInt64>, capacity: Int, weight: UInt64, horizon: UInt64
  ) {
    unsafe self.records = records
    self.horizon = horizon
    self.capacity = capacity
    self.weight = Int(truncatingIfNeeded: weight)
  }

  /// A record that is kept.
  func record(_ index: Int) -> Record { unsafe Record(address: Leaf.record(records[index])) }

  /// A record that is left out.
  func droppedRecord(_ index: Int) -> Record {
    unsafe Record(address: records[2 * capacity + index])
  }

  @unsafe
  var heads: UnsafePointer<UInt64> { unsafe UnsafePointer(records + capacity) }

  mutating func drop(_ record: Record) {
    unsafe records[2 * capacity + dropped] = record.address
    dropped += 1
    weight -= record.weight
  }

  @inline(__always)
  private mutating func keep(_ marked: UInt64, _ head: UInt64) {
    unsafe records[kept] = marked
    unsafe records[capacity + kept] = head
    kept &+= 1
  }

  /// Takes a leaf's records in key order.
  mutating func take(_ order: LeafOrder, of leaf: Leaf) {
    let prefix = leaf.prefix.count
    var hadSettled = false
    let heads = unsafe leaf.heads
    let count = order.count
    var index = 0
    var sorted = 0
    while index < count {
      let marked = order.marked(index)
      index &+= 1
      let head: UInt64
      if marked & LeafOrder.appended == 0 {
        head = unsafe heads[sorted]
        sorted &+= 1
        if marked & Leaf.settled != 0 {
          hadSettled = true
          keep(marked, head)
          continue
        }
      } else {
        head = Record(address: Leaf.record(marked)).key.head(at: prefix)
      }
      take(Leaf.record(marked), head)
    }
    if hadSettled { settledBelow = max(settledBelow, leaf.settledBelow) }
  }

  /// Keeps what is to be kept of a word's records: the first that is not aborted, unless it is a
  /// tombstone committed below the horizon.
  private mutating func take(_ top: UInt64, _ head: UInt64) {
    var address = top
    while address != 0 {
      let record = Record(address: address)
      var word = record.version.load()
      if VersionWord.state(word) == VersionWord.transaction {
        word = CommitDescriptor(address: VersionWord.body(word)).word.load()
      }
      let state = VersionWord.state(word)
      if state == VersionWord.aborted {
        drop(record)
        address = record.beneath
        continue
      }
      if state == VersionWord.committed && record.isTombstone && VersionWord.body(word) < horizon {
        drop(record)
        droppedTombstone = true
        return
      }
      // A leaf weighs its newest records: those beneath aborted ones come in now.
      if address != top { weight += record.weight }
      let isSettled =
        state == VersionWord.committed && record.isPlain && record.predecessor.load() == 0
      if isSettled { settledBelow = max(settledBelow, VersionWord.body(word) &+ 1) }
      keep(isSettled ? address | Leaf.settled : address, head)
      return
    }
  }
}

extension BLinkTree {
  /// Replaces a leaf by one or two rebuilt ones, unless another thread has done it. Afterwards the
  /// page has another leaf than `leaf`. Throws only injected failures; then the leaf may be left
  /// frozen. `keepingSize`: a leaf in place of one is to have as many bytes as that.
  @inline(never)
  func consolidate(
    _ page: Page, _ leaf: Leaf, _ pin: Pin, keepingSize: Bool = false
  ) throws(LugeError) {
    // They come while the words are frozen.
    _ = LeafSlice.prefetchAppended(leaf)
    leaf.freeze()
    try context.interrupt("tree.frozen")
    if page.word.load() != leaf.address { return }
    let capacity = leaf.wordCount
    let order = LeafOrder(leaf)
    defer { order.free() }
    // A word leaves out two records at most: an aborted one, and the tombstone that it was built
    // on.
    let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: 4 * capacity + 1)
    defer { unsafe scratch.deallocate() }
    var rebuild = unsafe Rebuild(
      scratch, capacity: capacity, weight: leaf.weight.load(), horizon: context.horizon())
    rebuild.ascending = order.ascending
    rebuild.take(order, of: leaf)
    let isSplit =
      rebuild.kept >= 2 && !leaf.isPartial
      && (rebuild.kept > context.settings.leafEntries
        || rebuild.weight > context.settings.leafBytes)
    let won =
      isSplit
      ? split(page, leaf, rebuild, pin) : replace(page, leaf, rebuild, keepingSize, pin)
    if won { retire(leaf, rebuild, pin) }
  }

  /// Publishes one leaf in place of another.
  private func replace(
    _ page: Page, _ leaf: Leaf, _ rebuild: Rebuild, _ keepingSize: Bool, _ pin: Pin
  ) -> Bool {
    let ascends = rebuild.ascending && !leaf.hasHigh
    var words = leaf.isPartial ? partialWords : appendWords(ascends, rebuild.kept)
    if keepingSize { words = min(words, max(2, leaf.appendWords(besides: rebuild.kept))) }
    let new = unsafe LeafBuilder.build(
      pin, UnsafePointer(rebuild.records), count: rebuild.kept,
      appendWords: words, high: leaf.hasHigh ? leaf.high : nil,
      right: leaf.right, flags: inheritedFlags(leaf, rebuild),
      known: LeafBuilder.Known(
        heads: rebuild.heads, prefixCount: leaf.prefix.count, weight: max(0, rebuild.weight)),
      ascends: ascends, settledBelow: rebuild.settledBelow)
    if page.word.compareExchange(expected: leaf.address, desired: new.address) {
      probe("tree.consolidated")
      return true
    }
    new.free(pin)
    return false
  }

  /// Where keys only ever grow a leaf is filled in one go, and split when it has its entries: no
  /// rebuild comes between.
  private func appendWords(_ ascends: Bool, _ kept: Int) -> Int {
    let words = context.settings.appendWords
    return ascends ? max(words, context.settings.leafEntries + 1 - kept) : words
  }

  /// Publishes two leaves in place of one, the right one under a new page, then posts that page.
  private func split(_ page: Page, _ leaf: Leaf, _ rebuild: Rebuild, _ pin: Pin) -> Bool {
    let at = splitPoint(leaf, rebuild)
    let separator = BLinkTree.separator(rebuild.record(at - 1).key, rebuild.record(at).key)
    var known = unsafe LeafBuilder.Known(
      heads: rebuild.heads + at, prefixCount: leaf.prefix.count, weight: nil)
    let flags = Leaf.dirty | Leaf.baseOnly | (leaf.flags.load() & Leaf.visits)
    let words = context.settings.appendWords
    let ascends = rebuild.ascending && !leaf.hasHigh
    let rightLeaf = unsafe LeafBuilder.build(
      pin, UnsafePointer(rebuild.records + at), count: rebuild.kept - at,
      appendWords: appendWords(ascends, rebuild.kept - at),
      high: leaf.hasHigh ? leaf.high : nil, right: leaf.right, flags: flags, known: known,
      ascends: ascends, settledBelow: rebuild.settledBelow)
    // Replay skips by the image that the records came from, so the new page inherits its LSN.
    let right = Page.build(
      pin, low: separator, word: rightLeaf.address, imageLSN: page.imageLSN.load())
    right.owner.store(page.owner.load())
    unsafe known.heads = rebuild.heads
    let leftLeaf = unsafe LeafBuilder.build(
      pin, UnsafePointer(rebuild.records), count: at, appendWords: words, high: separator,
      right: right.address, flags: flags, known: known, settledBelow: rebuild.settledBelow)
    guard page.word.compareExchange(expected: leaf.address, desired: leftLeaf.address) else {
      leftLeaf.free(pin)
      right.free(pin)
      rightLeaf.free(pin)
      return false
    }
    probe("tree.leafSplit")
    context.cache.add(CacheLink(right.address))
    // A page that is not posted is found through its left neighbour, and posted by who comes that
    // way.
    if (try? context.interrupt("tree.split")) != nil { post(right, pin) }
    return true
  }

  private func inheritedFlags(_ leaf: Leaf, _ rebuild: Rebuild) -> UInt64 {
    let inherited = leaf.flags.load() & (Leaf.baseOnly | Leaf.visits | Leaf.partial)
    return Leaf.dirty | inherited | (rebuild.droppedTombstone ? Leaf.baseOnly : 0)
  }

  /// How many records go into the left half: at least one, and not all.
  private func splitPoint(_ leaf: Leaf, _ rebuild: Rebuild) -> Int {
    let kept = rebuild.kept
    let bytes = context.settings.leafBytes
    if rebuild.ascending && !leaf.hasHigh {
      // Keys that only ever grow would leave half-full leaves behind. Where some came out of turn, more
      // may.
      let isStrict = leaf.isAscending && leaf.ascendingCount.load() == UInt64(leaf.appendCount)
      if isStrict && rebuild.weight - rebuild.record(kept - 1).weight <= bytes { return kept - 1 }
      if rebuild.weight <= bytes { return kept - max(1, kept / 8) }
    }
    if rebuild.weight <= bytes { return kept / 2 }
    var left = 0
    var index = 0
    while index < kept - 1 {
      left += rebuild.record(index).weight
      index += 1
      if 2 * left >= rebuild.weight { return index }
    }
    return kept - 1
  }

  /// The shortest key that is above `left` and not above `right`.
  private static func separator(_ left: ByteView, _ right: ByteView) -> ByteView {
    unsafe ByteView(right.base, count: ByteView.commonPrefix(left, right) + 1)
  }

  /// The winner's duty: what the page no longer reaches.
  private func retire(_ leaf: Leaf, _ rebuild: Rebuild, _ pin: Pin) {
    var index = 0
    while index < rebuild.dropped {
      let record = rebuild.droppedRecord(index)
      // Beneath an aborted record is what was kept in its place; beneath a tombstone nothing
      // counts.
      if !isAborted(record) {
        probe("tree.tombstoneDropped")
        context.dropPredecessors(of: record, pin)
      }
      record.retire(pin)
      index += 1
    }
    index = 0
    while index < rebuild.kept {
      let marked = unsafe rebuild.records[index]
      if marked & Leaf.settled == 0 { context.prune(rebuild.record(index), pin) }
      index += 1
    }
    leaf.retire(pin)
  }

  /// Whether a decided record is aborted.
  func isAborted(_ record: Record) -> Bool {
    var word = record.version.load()
    if VersionWord.state(word) == VersionWord.transaction {
      word = CommitDescriptor(address: VersionWord.body(word)).word.load()
    }
    return VersionWord.state(word) == VersionWord.aborted
  }
}
