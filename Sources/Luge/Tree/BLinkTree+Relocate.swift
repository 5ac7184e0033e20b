internal import Platform

// What the cleaner does to one record: nothing, where nothing names it any more; else what is in it
// is written elsewhere. Nobody waits for that but who wants the page read in at that very moment,
// and it waits for nobody: a page that somebody else is at work on is left for another time.

/// What became of a record that was to be moved.
enum Relocation {
  /// Nothing named it.
  case dead
  /// What named it names something else now, of so many bytes.
  case moved(bytes: Int)
  /// The next checkpoint writes another in its place.
  case replacedSoon
  /// Somebody is at work on the page.
  case busy
  /// A snapshot needs it, or a version beneath it.
  case kept
}

extension BLinkTree {
  /// What a look at the page that a record may belong to shows.
  private enum Candidate {
    case dead
    case busy
    /// Resident, and its claim is the caller's.
    case claimed(Page)
    /// The record is its only part. It was evicted under `word` and is `loading` now, by the caller.
    case loading(Page, word: UInt64, lsn: UInt64, entries: Int, values: SegmentBytes)
    /// It, or the chunk above it, must be in memory first.
    case missing
  }

  /// Moves the page that begins at `low` if `record` is one of its parts. Unpinned. The tree's memory
  /// is not freed meanwhile.
  ///
  /// - Parameter record: of kind leaf, as it was read from its segment and found good.
  func relocate(_ record: ScannedRecord, low: [UInt8]) throws(LugeError) -> Relocation {
    // The chunk, the page, and once more for one who was faster.
    var loads = 3
    while true {
      switch try look(record.part, low) {
      case .dead: return .dead
      case .busy: return .busy
      case .claimed(let page):
        defer { page.releaseClaim() }
        return try relocate(record, resident: page)
      case .loading(let page, let word, let lsn, let entries, let values):
        return try relocate(record, loading: page, word, lsn, entries, values)
      case .missing:
        if loads == 0 { return .busy }
        loads -= 1
        try pageIn(low)
      }
    }
  }

  private func look(_ part: PagePart, _ low: [UInt8]) throws(LugeError) -> Candidate {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    // The array outlives the closure; nothing in it is kept.
    guard let (page, _) = unsafe low.withUnsafeBytes({ unsafe descend(ByteView($0), pin) })
    else { return .missing }
    // Pages begin where they began for ever.
    guard page.low.copy() == low else { return .dead }
    // The claim before the parts: whoever has it may have appended the record and not named it yet.
    guard page.tryClaim() else { return .busy }
    // A page that is loading stands still without a claim.
    var keepsClaim = false
    defer { if !keepsClaim { page.releaseClaim() } }
    let candidate = try candidate(page, part)
    if case .claimed = candidate { keepsClaim = true }
    return candidate
  }

  private func candidate(_ page: Page, _ part: PagePart) throws(LugeError) -> Candidate {
    guard let parts = page.parts, BLinkTree.names(parts, part) else { return .dead }
    // Looked at under the claim: what is resident now stays so. Before it the page may have been
    // evicted, and its chunk too, and then nothing but the pin would hold it.
    if page.leaf != nil { return .claimed(page) }
    let word = page.word.load()
    guard PageWord.tag(word) == PageWord.evicted else { return .busy }
    if parts.count > 1 { return .missing }
    let loading = PageWord.body(word) | PageWord.loading
    try context.interrupt("cleaner.taking")
    guard page.word.compareExchange(expected: word, desired: loading) else {
      probe("cleaner.outrun")
      return .busy
    }
    return .loading(
      page, word: word, lsn: parts.lsn, entries: parts.entries, values: parts.values)
  }

  private static func names(_ parts: PartList, _ part: PagePart) -> Bool {
    var index = 0
    while index < parts.count {
      if parts.part(index) == part { return true }
      index += 1
    }
    return false
  }

  /// Under the claim, so nobody writes or evicts the page meanwhile.
  private func relocate(
    _ record: ScannedRecord, resident page: Page
  ) throws(LugeError) -> Relocation {
    guard let image = try writeOut(claimed: page, moving: record.part.address) else {
      return .busy
    }
    return image.wasWritten
      ? .moved(bytes: image.parts.reduce(0) { sum, part in sum + part.bytes }) : .dead
  }

  /// The image as it is, at another address: nothing need be decoded. The page is `loading` while its
  /// parts change, so nobody reads in or evicts what is about to go.
  private func relocate(
    _ record: ScannedRecord, loading page: Page, _ word: UInt64, _ lsn: UInt64, _ entries: Int,
    _ values: SegmentBytes
  ) throws(LugeError) -> Relocation {
    let stripe = PageLoads.stripe(page.low)
    defer { context.loads.ended(stripe) }
    var part: PagePart?
    let former: [PagePart]
    do throws(LugeError) {
      let new = try context.pages.append(.leaf, record.payload, to: .cold)
      part = new
      try context.interrupt("cleaner.appended")
      former = try name(new, page, lsn, entries, values)
    } catch {
      page.word.store(word)
      if let part { try? context.pages.release([part]) }
      throw error
    }
    page.word.store((part?.address.rawValue ?? 0) | PageWord.evicted)
    try context.pages.release(former)
    return .moved(bytes: part?.bytes ?? 0)
  }

  private func name(
    _ part: PagePart, _ page: Page, _ lsn: UInt64, _ entries: Int, _ values: SegmentBytes
  ) throws(LugeError) -> [PagePart] {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let former = page.setParts(
      PartList.build(pin, lsn: lsn, entries: entries, [part], values: values), pin)
    _ = noteChange(of: page, walk: 0)
    return former
  }

  /// Sees to it that the next checkpoint writes the chunk that begins at `low` anew, if `part` is its
  /// image. Unpinned.
  func relocateChunk(_ part: PagePart, low: [UInt8]) throws(LugeError) -> Relocation {
    var loads = 2
    while true {
      switch try lookAtChunk(part, low) {
      case .missing:
        if loads == 0 { return .busy }
        loads -= 1
        try pageIn(low)
      case .dead: return .dead
      default: return .replacedSoon
      }
    }
  }

  private func lookAtChunk(_ part: PagePart, _ low: [UInt8]) throws(LugeError) -> Candidate {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    // The array outlives the closure; nothing in it is kept.
    let chunk = unsafe low.withUnsafeBytes { unsafe findChunk(ByteView($0)) }
    guard chunk.low.copy() == low, let image = chunk.image, image.part(0) == part else {
      return .dead
    }
    if !ChunkWord.hasBranch(chunk.word.load()) { return .missing }
    chunk.stamp.store(context.newStamp())
    return .busy
  }
}
