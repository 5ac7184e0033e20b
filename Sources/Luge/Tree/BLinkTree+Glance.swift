internal import Platform

// A glance: who wants one value of a page that is on disk, while memory is full, reads it out of the parts
// and leaves the page where it is. A page that is looked for again soon comes into memory instead, and so
// does one of several parts that is read again: it leaves memory as one part. So data far larger than memory
// is read at the price of the device and not of a hundred records made and freed.
//
// 1. Pinned: the page is evicted, or its leaf partial and without the key. Note its parts.
// 2. Unpinned: read them, go to the key.
// 3. Pinned: descend again. The page has the same newest part, and is evicted or its leaf still lacks the
//    key: then the parts are what the page had on disk at this moment, since an address names one list of
//    parts for ever. Else, and for whatever cannot be read, the page is brought into memory.
//
// Reads at a snapshot do without: they come for the neighbours too.

extension BLinkTree {
  enum Glance<Result> {
    case found(Result)
    case absent
    /// Bring the page into memory.
    case declined
  }

  private enum Choice {
    case glance(Subject)
    case bringIn
    case bringInChunk
    /// Bring it in, to be written as one part.
    case fold
  }

  /// A page that stays on disk, as it was seen.
  private struct Subject {
    let low: [UInt8]
    let parts: [PagePart]
    let lsn: UInt64
  }

  /// Parts from which a page is made one of at its second read since it was written, and at its first.
  private static let foldedAgain = 3
  private static let foldedAtOnce = 7

  /// Calls `body` with the value of a key whose page is not in memory, pinned, at a moment at which the
  /// value is the key's. Unpinned; waits for one round of reads.
  @inline(never)
  func glance<Result>(
    _ key: ByteView, _ body: (ByteView, Pin) -> Result
  ) throws(LugeError) -> Glance<Result> {
    if context.epochs.account.estimate <= context.cache.fullLimit { return .declined }
    var choice = try choose(key)
    if case .bringInChunk = choice {
      // What leads to the page stays in memory longer than pages: see `ChunkClock`.
      try bringInChunk(key)
      choice = try choose(key)
    }
    let subject: Subject
    switch choice {
    case .glance(let found): subject = found
    case .bringIn, .bringInChunk: return .declined
    case .fold:
      try pageIn(key)
      try fold(key)
      return .declined
    }
    do throws(LugeError) {
      let records = try context.pages.read(subject.parts, .leaf)
      // The array outlives the closure; nothing in it is kept.
      return try unsafe subject.low.withUnsafeBufferPointer { (low) throws(LugeError) in
        try LeafDecoder.reading(
          subject.parts, records, tree: id, low: unsafe ByteView(UnsafeRawBufferPointer(low)),
          contexts: context.codecs
        ) { (decoder) throws(LugeError) in
          try look(key, &decoder, subject, body)
        }
      }
    } catch {
      if error.code == .killed { throw error }
      // Its segment may have gone with what took its place. Else who brings it in meets the same.
      return .declined
    }
  }

  /// Sees to it that a page leaves memory as one part.
  private func fold(_ key: ByteView) throws(LugeError) {
    let pin = try context.pins.pin()
    defer { pin.end() }
    guard let leaf = approach(key, pin)?.leaf, !leaf.isPartial else { return }
    probe("cache.folded")
    _ = leaf.flags.fetchOr(Leaf.dirty | Leaf.baseOnly)
  }

  private func choose(_ key: ByteView) throws(LugeError) -> Choice {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    // What the redo has for the page is put in when it comes into memory.
    if context.pending.isAttached || context.replayLSN.load() != 0 { return .bringIn }
    guard let page = approach(key, pin)?.page else {
      return ChunkWord.hasBranch(findChunk(key).word.load()) ? .bringIn : .bringInChunk
    }
    guard lacks(page, key, pin), let parts = page.parts else { return .bringIn }
    noteChunkVisit(key)
    let (wasMissed, isWanted) = context.noteMiss(page, parts)
    if parts.count >= (wasMissed ? BLinkTree.foldedAgain : BLinkTree.foldedAtOnce) { return .fold }
    if isWanted { return .bringIn }
    return .glance(Subject(low: page.low.copy(), parts: parts.copy(), lsn: parts.lsn))
  }

  /// Whether what the page has for the key, if anything, is on disk. Pinned.
  private func lacks(_ page: Page, _ key: ByteView, _ pin: Pin) -> Bool {
    let word = page.word.load()
    if PageWord.tag(word) == PageWord.evicted { return true }
    guard PageWord.tag(word) == PageWord.resident else { return false }
    let leaf = Leaf(address: word)
    if !leaf.isPartial || leaf.isBelow(key) { return false }
    let top = Leaf.record(leaf.locate(key).word)
    return top == 0 || visible(top, leaf, pin).record == 0
  }

  private func look<Result>(
    _ key: ByteView, _ decoder: inout LeafDecoder, _ subject: Subject,
    _ body: (ByteView, Pin) -> Result
  ) throws(LugeError) -> Glance<Result> {
    // A page that was split since the index was looked at ends before the key.
    if decoder.lsn != subject.lsn || (decoder.hasHigh && ByteView.compare(key, decoder.high) >= 0) {
      return .declined
    }
    var isThere = false
    decoder.leap(to: key)
    while try decoder.next() {
      let order = ByteView.compare(decoder.key, key)
      if order >= 0 {
        isThere = order == 0
        break
      }
    }
    if isThere && decoder.kind == .reference { return .declined }
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    // The leaf first: what leaves it is in the parts by then.
    guard let page = approach(key, pin)?.page, lacks(page, key, pin),
      page.parts?.newest == subject.parts.last?.address
    else {
      probe("cache.glanceOutrun")
      return .declined
    }
    probe("cache.glanced")
    _ = context.cache.glances.fetchAdd(1)
    return isThere ? .found(body(decoder.value, pin)) : .absent
  }

  /// The value of a key that `getResident` did not find in memory. As `get`.
  @inline(never)
  func getPastMemory(_ key: ByteView) throws(LugeError) -> [UInt8]? {
    switch try glance(key, { value, _ in value.copy() }) {
    case .found(let value): return value
    case .absent: return nil
    case .declined: return try getSlowly(key)
    }
  }

  /// A record that has the value and that nothing but its hazard keeps, which is the caller's to clear.
  func lendPastMemory(
    _ key: ByteView
  ) throws(LugeError) -> Glance<(record: Record, hazard: WordRef)> {
    try glance(key) { value, pin in
      let record = Record.build(pin, version: VersionWord.committed, key: key, value: value)
      let hazard = pin.hazard(on: record.address)
      record.retire(pin)
      return (record, hazard)
    }
  }
}

extension TreeContext {
  /// Notes that a page was looked for that is not in memory: whether it was already since it was written,
  /// and whether that is no more such looks ago than memory has room for pages, about.
  func noteMiss(_ page: Page, _ parts: PartList) -> (wasMissed: Bool, isWanted: Bool) {
    let now = cache.misses.fetchAdd(1) &+ 1
    let last = page.missed.exchange(now)
    // A page takes half as much again as its image.
    let room = max(0, cache.room) / max(1, 2 * parts.part(0).length)
    return (last != 0, last != 0 && now &- last <= UInt64(room))
  }
}
