internal import Platform

// Chunks come into memory and leave it as pages do: whoever meets a chunk without a branch unpins,
// reads its image and starts again from the root. A chunk that comes brings the descriptors of its
// pages, all of them evicted; a chunk may go when all its pages are evicted again (`ChunkClock`).

/// A chunk that this thread made `loading`: it stays as it is until the thread says otherwise.
struct ChunkLoading {
  let chunk: Chunk
  let image: PagePart
  let entries: Int
  let stamp: UInt64
  let low: [UInt8]
  let high: [UInt8]?
}

extension BLinkTree {
  enum ChunkBeginning {
    case resident
    case mine(ChunkLoading)
    case others(PageLoads.Ticket)
  }

  /// The chunk that covers `key` begins to load, unless it is in memory or loading. Pinned.
  func beginLoadingChunk(_ key: ByteView) -> ChunkBeginning {
    let root = Branch(address: root.load())
    let place = root.position(key)
    let chunk = Chunk(address: root.node(place - 1))
    // Before the word: a load that ends after this look makes the ticket good.
    let ticket = context.loads.ticket(PageLoads.stripe(chunk.low))
    let word = chunk.word.load()
    if ChunkWord.hasBranch(word) { return .resident }
    if ChunkWord.tag(word) == ChunkWord.loading { return .others(ticket) }
    let loading = word & ChunkWord.diskMask | ChunkWord.loading
    guard chunk.word.compareExchange(expected: word, desired: loading) else { return .resident }
    // From here on the chunk stands still, and so does where it ends: only a chunk with pages is
    // changed or split.
    guard let image = chunk.image else { preconditionFailure("an evicted chunk has an image") }
    return .mine(
      ChunkLoading(
        chunk: chunk, image: image.part(0), entries: image.entries, stamp: image.lsn,
        low: chunk.low.copy(), high: place < root.count ? root.low(place).copy() : nil))
  }

  /// Brings the chunk that covers `key` into memory, for a glance. It may be gone again. Unpinned.
  func bringInChunk(_ key: ByteView) throws(LugeError) {
    try context.makeRoomIfNeeded()
    try context.trimChunksIfNeeded()
    switch try beginLoadingChunkOpen(key) {
    case .resident: return
    case .others(let ticket): try context.loads.wait(ticket)
    case .mine(let loading): _ = try finish(loading, nil)
    }
  }

  private func beginLoadingChunkOpen(_ key: ByteView) throws(LugeError) -> ChunkBeginning {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    return beginLoadingChunk(key)
  }

  /// Reads the chunk and publishes it, or puts it back. The page of it that covers `key`, where there is
  /// one, begins to load before anybody sees the chunk; the caller goes on with that. Unpinned.
  func finish(_ loading: ChunkLoading, _ key: ByteView?) throws(LugeError) -> PageLoading? {
    defer {
      let stripe = unsafe loading.low.withUnsafeBytes { unsafe PageLoads.stripe(ByteView($0)) }
      context.loads.ended(stripe)
    }
    do throws(LugeError) {
      try context.interrupt("cache.loadChunk")
      let payload = try context.pages.read(loading.image, .chunk).payload
      // All of it is looked at before anything is built.
      guard let image = ChunkImage.read(payload, { _ in }) else {
        throw damage("a chunk's image cannot be decoded", loading.image)
      }
      guard image.tree == id, image.low == loading.low, image.high == loading.high,
        image.entries == loading.entries
      else {
        throw damage("a chunk's image is not the one that belongs here", loading.image)
      }
      let pin = try context.epochs.pin()
      defer { pin.end() }
      let branch = build(payload, image.pages, pin)
      var wanted: (page: Page, word: UInt64)?
      if let key {
        let page = Page(address: branch.node(branch.position(key) - 1))
        let word = page.word.load()
        page.word.store(PageWord.body(word) | PageWord.loading)
        wanted = (page, word)
      }
      _ = context.chunks.bytes.fetchAdd(UInt64(branch.indexBytes))
      loading.chunk.visited.store(1)
      loading.chunk.stamp.store(loading.stamp)
      loading.chunk.word.store(branch.address)
      probe("cache.chunkPagedIn")
      return wanted.map { wanted in describe(wanted.page, wanted.word) }
    } catch {
      loading.chunk.word.store(loading.image.address.rawValue | ChunkWord.evicted)
      throw error
    }
  }

  func readImage(_ part: PagePart) throws(LugeError) -> ChunkImage {
    let record = try context.pages.read(part, .chunk)
    guard let image = ChunkImage.decode(record.payload) else {
      throw damage("a chunk's image cannot be decoded", part)
    }
    return image
  }

  private func damage(_ what: String, _ part: PagePart) -> LugeError {
    LugeError(
      .corruption, what, path: context.pages.path(part.address.serial),
      offset: Int64(part.address.offset), expected: "a chunk of tree \(id)")
  }

  /// A branch over evicted pages.
  private func build(_ payload: [UInt8], _ count: Int, _ pin: Pin) -> Branch {
    var nodes: [UInt64] = []
    nodes.reserveCapacity(count)
    let owner = ownerWord
    _ = ChunkImage.read(payload) { page in
      let parts = PartList.build(
        pin, lsn: page.lsn, entries: page.entries, page.parts, values: page.values)
      // The array outlives the closure, which copies from it.
      let built = unsafe page.low.withUnsafeBytes {
        unsafe Page.build(pin, low: ByteView($0), parts: parts)
      }
      built.owner.store(owner)
      nodes.append(built.address)
    }
    return unsafe nodes.withUnsafeBufferPointer {
      unsafe Branch.build(pin, $0.baseAddress.unsafelyUnwrapped, count: nodes.count)
    }
  }

  // MARK: Eviction

  /// A chunk whose pages were all evicted when it was looked at.
  private struct Evictable {
    let low: [UInt8]
    let stamp: UInt64
    /// The pages' words. Each names a part that no other page and no other time has, so the same
    /// words are the same chunk.
    let words: [UInt64]
    /// What is to be written; nil when the chunk's image shows that.
    let image: ChunkImage?
  }

  /// Lets go of the pages of the chunk that covers `key`, if all of them are evicted; its image is
  /// written first if it is out of date. Unpinned. False when the chunk stays.
  ///
  /// The pages are sealed, one after the other, so that nobody makes one of them load or finds it;
  /// only then the chunk's word is changed. Who meets a sealed page waits as for a load.
  func evictChunk(covering key: [UInt8]) throws(LugeError) -> Bool {
    guard let evictable = try lookForEviction(key) else { return false }
    var part: PagePart?
    if let image = evictable.image {
      let payload = image.encode()
      if payload.count > context.pages.largestPayload, try splitLargeChunk(key) { return false }
      part = try context.pages.append(.chunk, payload)
    }
    var released: [PagePart] = []
    let went: Bool
    do throws(LugeError) {
      try context.interrupt("cache.evictChunk")
      went = try finishEviction(evictable, part, &released)
    } catch {
      if let part { try context.pages.release([part]) }
      throw error
    }
    if went { probe("cache.chunkEvicted") } else { probe("cache.chunkStays") }
    try context.pages.release(released)
    return went
  }

  private func lookForEviction(_ key: [UInt8]) throws(LugeError) -> Evictable? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if self.root.load() == 0 { return nil }
    let root = Branch(address: self.root.load())
    // The array outlives the closure; nothing in it is kept.
    let place = unsafe key.withUnsafeBytes { unsafe root.position(ByteView($0)) }
    let chunk = Chunk(address: root.node(place - 1))
    let stamp = chunk.stamp.load()
    let word = chunk.word.load()
    guard ChunkWord.tag(word) == ChunkWord.resident else { return nil }
    let branch = ChunkWord.branch(word)
    let isImaged = chunk.image.map { image in image.lsn == stamp } ?? false
    var words: [UInt64] = []
    var pages: [ChunkPage] = []
    words.reserveCapacity(branch.count)
    if !isImaged { pages.reserveCapacity(branch.count) }
    var index = 0
    while index < branch.count {
      let page = Page(address: branch.node(index))
      let word = page.word.load()
      guard PageWord.tag(word) == PageWord.evicted, let parts = page.parts else { return nil }
      if !isImaged {
        pages.append(
          ChunkPage(
            low: page.low.copy(), lsn: parts.lsn, entries: parts.entries, parts: parts.copy(),
            values: parts.values))
      }
      // The same word: all of this was true at one moment.
      guard page.word.load() == word else { return nil }
      words.append(word)
      index += 1
    }
    let high = place < root.count ? root.low(place).copy() : nil
    return Evictable(
      low: chunk.low.copy(), stamp: stamp, words: words,
      image: isImaged ? nil : ChunkImage(tree: id, high: high, pages: pages))
  }

  /// False when the chunk is not as it was any more.
  private func finishEviction(
    _ evictable: Evictable, _ part: PagePart?, _ released: inout [PagePart]
  ) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if let part { released = [part] }
    if root.load() == 0 { return false }
    let chunk = unsafe evictable.low.withUnsafeBytes { unsafe findChunk(ByteView($0)) }
    let word = chunk.word.load()
    guard ChunkWord.tag(word) == ChunkWord.resident, chunk.low.copy() == evictable.low else {
      return false
    }
    let branch = ChunkWord.branch(word)
    guard branch.count == evictable.words.count, seal(branch, evictable.words) else { return false }
    let former = chunk.image
    if let part {
      let formerPart = former?.part(0)
      let image = PartList.build(
        pin, lsn: evictable.stamp, entries: evictable.image?.entries ?? 0, [part],
        values: SegmentBytes())
      guard chunk.replaceImage(former, image, pin) else {
        image.free(pin)
        unseal(branch, evictable.words, branch.count)
        return false
      }
      // From here on the new image is the chunk's, whatever becomes of the eviction.
      released = formerPart.map { part in [part] } ?? []
    } else if former.map({ image in image.lsn != chunk.stamp.load() }) ?? true {
      unseal(branch, evictable.words, branch.count)
      return false
    }
    guard let image = chunk.image,
      chunk.word.compareExchange(
        expected: word, desired: image.part(0).address.rawValue | ChunkWord.evicted)
    else {
      unseal(branch, evictable.words, branch.count)
      return false
    }
    _ = context.chunks.bytes.fetchSubtract(UInt64(branch.indexBytes))
    var index = 0
    while index < branch.count {
      Page(address: branch.node(index)).retire(pin)
      index += 1
    }
    branch.retire(pin)
    return true
  }

  /// Takes all pages out of everybody's reach, or none.
  private func seal(_ branch: Branch, _ words: [UInt64]) -> Bool {
    var index = 0
    while index < branch.count {
      let page = Page(address: branch.node(index))
      guard page.word.compareExchange(expected: words[index], desired: PageWord.sealed) else {
        unseal(branch, words, index)
        return false
      }
      index += 1
    }
    return true
  }

  private func unseal(_ branch: Branch, _ words: [UInt64], _ count: Int) {
    var index = 0
    while index < count {
      Page(address: branch.node(index)).word.store(words[index])
      index += 1
    }
  }
}
