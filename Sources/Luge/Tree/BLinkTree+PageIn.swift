internal import Platform

// Page-in: an operation that meets a page without a leaf unpins, makes the page resident, and
// starts again from the root. One thread reads, the others wait for it.

/// A page that this thread made `loading`: it stays where it is until the thread says otherwise.
private struct Loading {
  let page: Page
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
    case mine(Loading)
    case chunk(ChunkLoading)
    /// Its chunk is about to be evicted: look again in a moment.
    case sealed
    /// Another thread reads: a ticket to wait with.
    case others(PageLoads.Ticket)
  }

  /// Brings the leaf that covers `key` into memory, or the chunk above it: one of them, so the caller
  /// looks again. Unpinned; waits for memory and for one read. Throws `.corruption` where what is on disk is damaged.
  ///
  /// - Parameter closedToo: for a walk that no `destroy` can come between.
  func pageIn(_ key: ByteView, closedToo: Bool = false) throws(LugeError) {
    try context.makeRoomIfNeeded()
    switch try beginLoading(key, closedToo) {
    case .resident: return
    case .others(let ticket):
      probe("cache.loadAwaited")
      try context.loads.wait(ticket)
    case .sealed: try context.backOff(0, "waiting for a chunk")
    case .chunk(let loading): try finish(loading)
    case .mine(let loading):
      let stripe = PageLoads.stripe(loading.page.low)
      defer { context.loads.ended(stripe) }
      do throws(LugeError) { try finish(loading) } catch {
        loading.page.word.store(loading.word)
        probe("cache.loadFailed")
        throw error
      }
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
    if leaf != nil { return .resident }
    // Before the word: a load that ends after this look makes the ticket good.
    let ticket = context.loads.ticket(PageLoads.stripe(page.low))
    let word = page.word.load()
    guard PageWord.tag(word) == PageWord.evicted else {
      switch PageWord.tag(word) {
      case PageWord.loading: return .others(ticket)
      case PageWord.removed: return .sealed
      default: return .resident
      }
    }
    let loading = PageWord.body(word) | PageWord.loading
    guard page.word.compareExchange(expected: word, desired: loading) else { return .resident }
    // From here on the page stands still.
    guard let parts = page.parts else { preconditionFailure("an evicted page has parts") }
    return .mine(
      Loading(
        page: page, word: word, parts: parts.copy(), lsn: parts.lsn, entries: parts.entries,
        high: highKey(ofEvicted: page)))
  }

  private func finish(_ loading: Loading) throws(LugeError) {
    try context.interrupt("cache.load")
    let image = try read(loading)
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let leaf = BLinkTree.build(image, context.settings, pin)
    // Before it is published: afterwards this thread has no hold of the page.
    context.cache.add(CacheLink(loading.page.address))
    loading.page.word.store(leaf.address)
    _ = context.cache.pageIns.fetchAdd(1)
    probe("cache.pagedIn")
  }

  private func read(_ loading: Loading) throws(LugeError) -> LeafImage {
    let part = loading.parts[0]
    let image = try LeafImage(
      decoding: try context.pages.read(part, .leaf).payload, contexts: context.codecs)
    guard image.tree == id, image.lsn == loading.lsn, image.count == loading.entries,
      image.high == loading.high, compareKeys(image.low, loading.page.low.copy()) == 0
    else {
      throw LugeError(
        .corruption, "a leaf image is not the one that belongs here",
        path: context.pages.path(part.address.serial), offset: Int64(part.address.offset),
        expected: "the page of tree \(id) with W \(loading.lsn)",
        found: "one of tree \(image.tree) with W \(image.lsn)")
    }
    return image
  }

  /// A clean leaf. Its right page, if it has one, is in the index.
  private static func build(_ image: LeafImage, _ settings: TreeSettings, _ pin: Pin) -> Leaf {
    var records: [UInt64] = []
    records.reserveCapacity(image.count)
    // Versions on disk are older than anything that will be asked for: LSN 0 stands for all.
    image.visitEntries { key, value in
      records.append(
        Record.build(pin, version: VersionWord.committed, key: key, value: value).address)
    }
    // Arrays outlive the closures; the builder copies the high key. An empty array may have no
    // address, and then nothing is read from it.
    return unsafe records.withUnsafeBufferPointer { records in
      let base = unsafe records.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
      guard let high = image.high else {
        return unsafe LeafBuilder.build(
          pin, base, count: records.count, appendWords: settings.appendWords, high: nil, right: 0,
          flags: Leaf.visits)
      }
      return unsafe high.withUnsafeBytes {
        unsafe LeafBuilder.build(
          pin, base, count: records.count, appendWords: settings.appendWords,
          high: ByteView($0), right: 0, flags: Leaf.visits)
      }
    }
  }
}
