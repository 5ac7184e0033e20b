internal import Platform

// Eviction: takes a page's leaf out of memory. The leaf is frozen, looked at once more, and then
// the page's word goes from the leaf to the address of what is on disk. Whoever meets a frozen
// leaf meanwhile helps by replacing it, and the eviction gives up.

extension Leaf {
  /// How often the leaf was visited since this was asked last, up to 2.
  func takeVisits() -> Int {
    let seen = flags.load() & Leaf.visits
    if seen == 0 { return 0 }
    _ = flags.fetchAnd(~Leaf.visits)
    return seen == Leaf.visited ? 1 : 2
  }

  /// For operations on single keys: two visits are told from one.
  @inline(__always)
  func noteVisit() {
    let seen = flags.loadRelaxed() & Leaf.visits
    if seen != Leaf.visits { noteVisit(seen) }
  }

  @inline(never)
  private func noteVisit(_ seen: UInt64) {
    if seen & Leaf.visited == 0 { return noteFirst() }
    _ = flags.fetchOr(Leaf.visits)
  }

  @inline(never)
  private func noteFirst() {
    let former = flags.fetchOr(Leaf.visited)
    if former & Leaf.unused != 0 { _ = flags.fetchAnd(~Leaf.unused) }
  }

  /// For whoever read the page from disk, not for an operation.
  func noteUse() {
    if isUnused { _ = flags.fetchAnd(~Leaf.unused) }
  }

  /// Whoever read it from disk has not used it yet.
  var isUnused: Bool { flags.load() & Leaf.unused != 0 }

  /// For scans, which come several times in a row and count once.
  @inline(__always)
  func noteScan() {
    if flags.loadRelaxed() & Leaf.visited == 0 { noteFirst() }
  }
}

extension BLinkTree {
  /// Says that this thread evicts something of the tree, or has claims of its pages while it waits for something,
  /// which `destroy` waits for. False when nobody may any more. Pinned, with the cache's lock held, or
  /// by whoever has a reference of the tree.
  func beginMaintenance() -> Bool {
    if maintenance.fetchAdd(1) & BLinkTree.maintenanceEnds == 0 { return true }
    endMaintenance()
    return false
  }

  func endMaintenance() { _ = maintenance.fetchAdd(0 &- 1) }

  /// Takes the leaf of a page out of memory; writes it first if it is dirty. Unpinned; the caller
  /// has the page's claim, and loses it if the page goes. False when it is in use, and stays.
  func evict(_ page: Page) throws(LugeError) -> Bool {
    guard try isIdle(page) else {
      probe("cache.evictionPutOff")
      return false
    }
    if try writeOut(claimed: page) == nil { return false }
    return try swingOut(page)
  }

  /// A look before anything is written: whether no version is undecided or too young.
  private func isIdle(_ page: Page) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    guard let leaf = page.leaf else { return false }
    if isDecided(leaf, context.horizon()) { return true }
    // Nobody may ever come to take these out.
    if hasAborted(leaf) { try? consolidate(page, leaf, pin) }
    return false
  }

  private func hasAborted(_ leaf: Leaf) -> Bool {
    var index = 0
    while index < leaf.wordCount {
      let address = Leaf.record(leaf.word(index).load())
      if address == 0 { return false }
      if isAborted(Record(address: address)) { return true }
      index += 1
    }
    return false
  }

  private func swingOut(_ page: Page) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    guard let leaf = page.leaf, let parts = page.parts,
      leaf.flags.load() & Leaf.dirty == 0
    else {
      probe("cache.evictionGaveUp")
      return false
    }
    postRight(of: page, leaf, pin)
    leaf.freeze()
    let isInterrupted = (try? context.interrupt("cache.evict")) == nil
    // The words stand still now. What was committed after the write-out has set the flag before.
    if isInterrupted || !isDecided(leaf, context.horizon())
      || leaf.flags.loadSequential() & Leaf.dirty != 0
    {
      probe("cache.evictionGaveUp")
      // Thawed: a copy takes its place. If that fails, the next to meet the leaf does it.
      try? consolidate(page, leaf, pin)
      return false
    }
    let evicted = parts.newest.rawValue | PageWord.evicted
    guard page.word.compareExchange(expected: leaf.address, desired: evicted) else {
      probe("cache.evictionGaveUp")
      return false
    }
    probe("cache.evicted")
    // Within the pin: an evicted page may go with its chunk at any time.
    page.releaseClaim()
    retire(leaf, pin)
    return true
  }

  /// Whether all that the words show is committed below the horizon: what a reader of the image
  /// takes for older than everything.
  private func isDecided(_ leaf: Leaf, _ horizon: UInt64) -> Bool {
    let end = leaf.wordCount
    var index = 0
    while index < end {
      let address = Leaf.record(leaf.word(index).load())
      if address == 0 { return true }
      let word = Record(address: address).version.load()
      if VersionWord.state(word) != VersionWord.committed { return false }
      if VersionWord.body(word) >= horizon { return false }
      index += 1
    }
    return true
  }

  /// Sees to it that the index has the page where this one ends: an evicted page shows neither its
  /// high key nor its right link.
  private func postRight(of page: Page, _ leaf: Leaf, _ pin: Pin) {
    guard leaf.hasHigh else { return }
    // A chunk that is not in memory has all its pages, and the next one ends this one.
    guard let found = findPage(leaf.high), !(found.low == leaf.high) else { return }
    _ = step(from: page, leaf, found: found, pin)
  }

  private func retire(_ leaf: Leaf, _ pin: Pin) {
    let end = leaf.wordCount
    var index = 0
    while index < end {
      let address = Leaf.record(leaf.word(index).load())
      if address == 0 { break }
      let record = Record(address: address)
      context.dropPredecessors(of: record, pin)
      record.retire(pin)
      index += 1
    }
    leaf.retire(pin)
  }
}
