internal import Platform

// Write-out: what of a page goes to disk, while everybody works on. Under the page's claim, which
// readers and writers of a resident leaf never take.

/// The image of a page on disk, as a step of a checkpoint's walk found or made it.
struct PageImage: Sendable {
  let low: [UInt8]
  /// Where the walk goes on: the high key *of this image*, whatever has split since. Nil: the last
  /// page.
  let high: [UInt8]?
  /// W: the redo records of this range below it are in the image.
  let lsn: UInt64
  let entries: Int
  let parts: [PagePart]
  /// Bytes that the entries name in value segments.
  let values: SegmentBytes
  /// False when what was on disk was as good.
  let wasWritten: Bool
  /// The chunk's stamp since it was written, if the chunk had the walk's before.
  var stamp: UInt64?
}

extension BLinkTree {
  /// What a look at a page that is to be written out shows.
  private enum Look {
    case kept(PageImage)
    /// Resident, and its claim is the caller's.
    case claimed(Page)
    case missing
    case busy
  }

  /// Sees to it that the page that covers `key` is on disk: writes it if it is dirty. Unpinned; waits
  /// for who has the page's claim.
  ///
  /// - Parameter stamp: of the chunk that a checkpoint walks along. Then it may name the page's
  ///   former parts no more.
  func writeOut(covering key: [UInt8], stamp: UInt64 = 0) throws(LugeError) -> PageImage {
    var attempt = 0
    while true {
      switch try look(key) {
      case .kept(let image): return image
      case .claimed(let page):
        defer { page.releaseClaim() }
        if let image = try writeOut(claimed: page, walk: stamp) { return image }
      case .missing: try pageIn(key, closedToo: true)
      case .busy:
        try context.backOff(attempt, "waiting for a page")
        attempt += 1
      }
    }
  }

  private func look(_ key: [UInt8]) throws(LugeError) -> Look {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    let found = unsafe key.withUnsafeBytes { unsafe descend(ByteView($0), pin) }
    guard let (page, leaf) = found else { return .missing }
    if leaf != nil { return BLinkTree.claimResident(page) ? .claimed(page) : .busy }
    let word = page.word.load()
    // Not loading: that thread may publish the leaf at any time.
    guard PageWord.tag(word) == PageWord.evicted, let parts = page.parts else { return .missing }
    let image = PageImage(
      low: page.low.copy(), high: highKey(ofEvicted: page), lsn: parts.lsn, entries: parts.entries,
      parts: parts.copy(), values: parts.values, wasWritten: false)
    // The same word says that all of this was true at one moment: a page that was loaded and split
    // meanwhile is evicted under another address.
    return page.word.load() == word ? .kept(image) : .busy
  }

  /// Takes the claim of a page if that is free and the page resident: then it stays so. Pinned.
  static func claimResident(_ page: Page) -> Bool {
    if !page.tryClaim() { return false }
    if let leaf = page.leaf {
      leaf.noteUse()
      return true
    }
    page.releaseClaim()
    return false
  }

  /// The same for a page whose claim the caller has. Nil: the page is not resident, or was split because its
  /// image would not have fitted into a segment. `walk`: the
  /// stamp of a checkpoint's walk; without it the checkpoint that is under way may name the former parts.
  /// `moving`: a part to be written elsewhere, dirty or not; nothing where the page has no such part.
  func writeOut(
    claimed page: Page, walk: UInt64? = nil, moving part: PageAddress? = nil
  ) throws(LugeError) -> PageImage? {
    let image: PendingImage
    var making = try makeImage(page, walk, part)
    while case .partial = making {
      // A base is due, which needs all there is.
      var isDamaged = false
      do throws(LugeError) { try complete(page) } catch {
        // What was written since must not be held up, nor a checkpoint, by what is lost.
        guard error.code == .corruption else { throw error }
        isDamaged = true
      }
      making = try makeImage(page, walk, isDamaged ? nil : part, isDamaged)
      if isDamaged, case .partial = making { break }
    }
    switch making {
    case .none: return nil
    case .partial:
      throw LugeError(
        .corruption, "a page that is damaged has taken too many writes",
        path: context.pages.path(page.parts?.newest.serial ?? 0))
    case .kept(let kept): return kept
    case .written(let new): image = new
    }
    let part: PagePart
    do throws(LugeError) {
      part = try context.pages.append(.leaf, image.bytes, to: image.isMoved ? .cold : .hot)
    } catch {
      // Not on disk after all: to be written at the next opportunity, and whole.
      let pin = try context.epochs.pin()
      defer { pin.end() }
      if let leaf = page.leaf { _ = leaf.flags.fetchOr(Leaf.dirty | Leaf.baseOnly) }
      throw error
    }
    // What takes its place is named first.
    let (former, stamp) = try name(part, image, of: page, walk)
    try context.pages.release(former, isNamed: walk == nil)
    return PageImage(
      low: page.low.copy(), high: image.high, lsn: image.lsn, entries: image.entries,
      parts: image.older + [part], values: image.values, wasWritten: true, stamp: stamp)
  }

  /// Answers the parts that are part of the page no longer.
  private func name(
    _ part: PagePart, _ image: PendingImage, of page: Page, _ walk: UInt64?
  ) throws(LugeError) -> ([PagePart], stamp: UInt64?) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let list = PartList.build(
      pin, lsn: image.lsn, entries: image.entries, image.older + [part], values: image.values)
    let former = page.setParts(list, pin)
    return (image.older.isEmpty ? former : [], noteChange(of: page, walk: walk ?? 0))
  }

  /// What is to be written of a page.
  struct PendingImage {
    /// Was not dirty.
    var isMoved: Bool
    var high: [UInt8]?
    var lsn: UInt64
    var entries: Int
    /// Bytes that the entries name in value segments.
    var values: SegmentBytes
    var bytes: [UInt8]
    /// The parts before it, if it is a fragment.
    var older: [PagePart] = []
  }

  private enum Making {
    case none
    case kept(PageImage)
    /// It cannot be written before it is complete.
    case partial
    case written(PendingImage)
  }

  /// Whether a snapshot may need what a partial leaf's records lie above: on disk they would hide it.
  /// After they were collected: who registers later reads at a tail above them.
  private func isNeededBeneath(_ records: LeafContents, _ kept: Bool?) -> Bool {
    kept == false && records.newest >= context.horizon()
  }

  /// Takes W, then the leaf, then clears the flags, and only then looks at the words: what is
  /// committed goes in; what is undecided is pushed to W or above and left out, and the page is
  /// dirty again. W comes first because the leaf may be replaced at once: what has an LSN below W
  /// was installed before, so it is in the leaf that is taken afterwards, while the leaf may lack
  /// what is committed later.
  private func makeImage(
    _ page: Page, _ walk: UInt64?, _ moving: PageAddress?, _ isDamaged: Bool = false
  ) throws(LugeError) -> Making {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // While the redo is replayed the bound may be behind what the page's parts have.
    let lsn = max(context.imageBound, page.imageLSN.load())
    guard let leaf = page.leaf else { return .none }
    try context.interrupt("tree.leafTaken")
    let high = leaf.hasHigh ? leaf.high.copy() : nil
    let isDirty = leaf.flags.load() & Leaf.dirty != 0
    let isToMove = moving.map { part in page.parts?.names(part) ?? false } ?? false
    if !isDirty, !isToMove, let parts = page.parts {
      return .kept(
        PageImage(
          low: page.low.copy(), high: high, lsn: parts.lsn, entries: parts.entries,
          parts: parts.copy(), values: parts.values, wasWritten: false))
    }
    let isPartial = leaf.isPartial
    if isPartial && isToMove { return .partial }
    // Before the flags: a checkpoint that finds the leaf clean while its image is not named yet must
    // not take the chunk's old image for good. Its own walk has given the chunk a new stamp already.
    if walk == nil { _ = noteChange(of: page, walk: 0) }
    let flags = leaf.flags.fetchAnd(~(Leaf.dirty | Leaf.baseOnly))
    do { try context.interrupt("tree.writeOut") } catch {
      _ = leaf.flags.fetchOr(Leaf.dirty | Leaf.baseOnly)
      throw error
    }
    // Who moves a part makes one of all. A partial leaf makes fragments only, also after a failure.
    let isWhole = isToMove || flags & Leaf.baseOnly != 0
    let former = isWhole && !isPartial ? nil : page.parts
    let records = LeafContents(self, leaf, since: former?.lsn, pin)
    defer { records.free() }
    let kept = former.flatMap { former in
      records.fits(former, isPartial: isPartial, isDamaged: isDamaged)
    }
    if isPartial && !isDamaged && (kept == nil || isNeededBeneath(records, kept)) {
      leaf.markDirty()
      return .partial
    }
    if let former, let kept {
      if kept {
        // Whatever made it dirty has come to nothing.
        probe("tree.writeOutOfNothing")
        return .kept(
          PageImage(
            low: page.low.copy(), high: high, lsn: former.lsn, entries: former.entries,
            parts: former.copy(), values: former.values, wasWritten: false))
      }
      probe("tree.fragmentWritten")
      return .written(fragment(page, records, lsn, high, former, isPartial: isPartial))
    }
    if isPartial {
      leaf.markDirty()
      return .partial
    }
    let image = base(page, leaf, records, lsn, high, isMoved: !isDirty)
    if image.bytes.count > context.pages.largestPayload && records.count > 1 {
      // Several writers have filled it at once, and none has come to split it yet.
      _ = leaf.flags.fetchOr(Leaf.dirty | Leaf.baseOnly)
      try consolidate(page, leaf, pin)
      return .none
    }
    return .written(image)
  }
}
