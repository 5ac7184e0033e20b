internal import Platform

// Page-in: an operation that meets a page without a leaf unpins, makes the page resident, and
// starts again from the root. One thread reads, the others wait for it.

/// A page that this thread made `loading`: it stays where it is until the thread says otherwise.
struct PageLoading {
  let page: Page
  let low: [UInt8]
  /// The word before.
  let word: UInt64
  let parts: [PagePart]
  let lsn: UInt64
  let entries: Int
  let high: [UInt8]?
}

extension BLinkTree {
  private enum Beginning {
    case resident
    case mine(PageLoading)
    case chunk(ChunkLoading)
    /// Resident, but partial; its claim is the caller's, who has begun maintenance.
    case partial(Page)
    /// The same, and somebody else is at it.
    case claimed
    /// Its chunk is about to be evicted: look again in a moment.
    case sealed
    /// Another page must be there first.
    case wanted([UInt8])
    /// Another thread reads: a ticket to wait with.
    case others(PageLoads.Ticket)
  }

  /// Brings the leaf that covers `key` into memory, and the chunk above it if that is missing. It may
  /// be gone again: the caller looks from the root. Unpinned; waits for memory and for one read. Throws `.corruption` where what is on disk is damaged.
  ///
  /// - Parameter closedToo: for a walk that no `destroy` can come between.
  func pageIn(_ key: ByteView, closedToo: Bool = false) throws(LugeError) {
    try context.makeRoomIfNeeded()
    try context.trimChunksIfNeeded()
    switch try beginLoading(key, closedToo) {
    case .resident: return
    case .others(let ticket):
      probe("cache.loadAwaited")
      try context.loads.wait(ticket)
    case .wanted(let low): try pageIn(low, closedToo: closedToo)
    case .sealed: try context.backOff(0, "waiting for a chunk")
    case .claimed: try context.backOff(8, "waiting for a page")
    case .partial(let page):
      defer {
        page.releaseClaim()
        endMaintenance()
      }
      try complete(page)
    // At once, so that nobody takes the chunk away again before one of its pages is there.
    case .chunk(let loading):
      if let page = try finish(loading, key) { try load(page) }
    case .mine(let loading): try load(loading)
    }
  }

  /// Reads a page and publishes its leaf, or puts the page back.
  private func load(_ loading: PageLoading) throws(LugeError) {
    let stripe = PageLoads.stripe(loading.page.low)
    defer { context.loads.ended(stripe) }
    do throws(LugeError) { try finish(loading) } catch {
      loading.page.word.store(loading.word)
      probe("cache.loadFailed")
      throw error
    }
  }

  private func help(_ page: Page, _ pin: Pin) -> Beginning {
    switch finishLeaving(page, pin) {
    case .missing(let low): return .wanted(low)
    case .gone(let parts):
      probe("tree.mergeHelped")
      for part in parts { context.released.push(part, pin) }
      return .resident
    }
  }

  /// `pageIn` for a key held in an array.
  func pageIn(_ key: [UInt8], closedToo: Bool = false) throws(LugeError) {
    // The array outlives the closure; nothing in it is kept.
    try unsafe key.withUnsafeBufferPointer { (key) throws(LugeError) in
      try pageIn(unsafe ByteView(UnsafeRawBufferPointer(key)), closedToo: closedToo)
    }
  }

  private func beginLoading(_ key: ByteView, _ closedToo: Bool) throws(LugeError) -> Beginning {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // Once a tree is closed and quiet, no operation makes a page of it load.
    if !closedToo { try checkOpen() }
    guard let (page, leaf) = descend(key, pin) else {
      switch beginLoadingChunk(key) {
      case .resident: return .resident
      case .others(let ticket): return .others(ticket)
      case .mine(let loading): return .chunk(loading)
      }
    }
    if let leaf {
      if !leaf.isPartial { return .resident }
      guard beginMaintenance() else { return .resident }
      if BLinkTree.claimResident(page) { return .partial(page) }
      endMaintenance()
      return .claimed
    }
    noteChunkVisit(key)
    // Before the word: a load that ends after this look makes the ticket good.
    let ticket = context.loads.ticket(PageLoads.stripe(page.low))
    let word = page.word.load()
    guard PageWord.tag(word) == PageWord.evicted else {
      switch PageWord.tag(word) {
      case PageWord.loading: return .others(ticket)
      case PageWord.sealed: return .sealed
      case PageWord.leaving, PageWord.removed: return help(page, pin)
      default: return .resident
      }
    }
    let loading = PageWord.body(word) | PageWord.loading
    guard page.word.compareExchange(expected: word, desired: loading) else { return .resident }
    return .mine(describe(page, word))
  }

  /// What is to be read of a page that this thread has made `loading`. Pinned.
  func describe(_ page: Page, _ word: UInt64) -> PageLoading {
    // The page stands still.
    guard let parts = page.parts else { preconditionFailure("an evicted page has parts") }
    return PageLoading(
      page: page, low: page.low.copy(), word: word, parts: parts.copy(), lsn: parts.lsn,
      entries: parts.entries, high: highKey(ofEvicted: page))
  }

  private func finish(_ loading: PageLoading) throws(LugeError) {
    try context.interrupt("cache.load")
    let records = try context.pages.read(loading.parts, .leaf)
    let held = context.pending.enter()
    defer { if held != nil { context.pending.leave() } }
    let changes = try changes(
      held, low: loading.page.low, high: loading.high, since: loading.lsn)
    // Before the leaf names them, and while nothing is pinned.
    let retained = try retainValues(of: changes)
    do throws(LugeError) { try publish(loading, records, changes) } catch {
      try? context.values.release(retained, at: context.log.tail)
      throw error
    }
  }

  /// Makes a page's leaf out of what was read, and shows it.
  private func publish(
    _ loading: PageLoading, _ records: [PageRecord], _ changes: PendingChanges?
  ) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if loading.parts.count > 1 { probe("cache.fragmentsRead") }
    let (leaf, gain, rows, replaced): (Leaf, Int, Int, [PagePart])
    do throws(LugeError) {
      (leaf, gain, rows, replaced) = try LeafDecoder.reading(
        loading.parts, records, tree: id, low: loading.page.low, contexts: context.codecs
      ) { (decoder) throws(LugeError) in
        try LeafBuilder.build(
          pin, &decoder, loading, context.settings, changes: changes, tree: id,
          settledBelow: context.log.tail)
      }
    } catch {
      throw placed(error, loading.parts[0].address)
    }
    correctCount(loading, rows, absent: 0, pin)
    // Before it is published: afterwards this thread has no hold of the page.
    context.cache.add(CacheLink(loading.page.address))
    if gain != 0 { _ = countStripe(pin).fetchAdd(UInt64(bitPattern: Int64(gain))) }
    loading.page.word.store(leaf.address)
    for part in replaced { context.releasedValues.push(part, pin) }
    _ = context.cache.pageIns.fetchAdd(1)
    probe("cache.pagedIn")
  }

  /// The same error with the place of what was read.
  func placed(_ error: LugeError, _ address: PageAddress) -> LugeError {
    var error = error
    error.path = context.pages.path(address.serial)
    error.offset = Int64(address.offset)
    return error
  }
}
