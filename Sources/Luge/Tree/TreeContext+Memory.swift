internal import Platform

// Memory: whoever is about to allocate and finds more in use than there should be evicts a few
// pages first. Nobody waits for memory while pinned.

extension TreeContext {
  /// Pages that one admission evicts at most before it looks whether it may go on.
  private static let portion = 8
  /// Looks at pages for that.
  private static let looks = 16
  /// After which the eviction thread looks for empty slabs.
  private static let evictionsBeforeTrim = 512
  /// Rounds in which nothing could be evicted, after which a write goes on all the same.
  private static let patience = 8
  /// The same while a pinned thread may hold back what was retired.
  private static let heldUpPatience = 100
  /// Rounds after which it is refused when twice the budget is in use.
  private static let greatPatience = 1000

  /// Makes room for a writing operation. Unpinned. Above the hard limit it waits for others to let
  /// go of what is evicted, and throws what keeps pages from being written. What cannot be
  /// evicted, because a snapshot needs old versions, or the index alone is larger than the budget,
  /// is overdrawn up to twice the budget. Beyond that it waits for as long as a pinned thread holds up
  /// what was retired, and throws `.resourceExhausted` if none does.
  @inline(__always)
  func admitMemory() throws(LugeError) {
    if epochs.account.estimate > cache.softLimit { try relieve(waits: true) }
  }

  /// Makes room for a page that is read, or for somebody who must not wait, as far as that goes.
  @inline(__always)
  func makeRoomIfNeeded() throws(LugeError) {
    if epochs.account.estimate > cache.softLimit { try relieve(waits: false) }
  }

  /// Lets the eviction thread work, where there is one; takes part only above the limit.
  @inline(never)
  private func relieve(waits: Bool) throws(LugeError) {
    wake(evictor)
    if epochs.account.estimate > cache.limit {
      wake(secondEvictor)
      try makeRoom(waits: waits)
    }
  }

  // MARK: The eviction threads

  private func wake(_ evictor: Evictor) {
    if evictor.thread.load() == 0 || evictor.isAwake.load() != 0 { return }
    if evictor.isAwake.exchange(1) == 0 { unpark(evictor) }
  }

  private func unpark(_ evictor: Evictor) {
    let thread = evictor.thread.loadSequential()
    if thread != 0 { platform.threads.unpark(ThreadID(rawValue: thread)) }
  }

  /// Makes the threads, where there are any, look whether they are to go on.
  func unparkEvictors() {
    unpark(evictor)
    unpark(secondEvictor)
  }

  /// The body of an eviction thread, until `goesOn` says no: evicts ahead of those who need memory,
  /// down to a little below the point at which they call for it.
  func evictAhead(_ evictor: Evictor, while goesOn: () -> Bool) {
    let isFirst = evictor === self.evictor
    let (target, calledAt) =
      isFirst ? (cache.restLimit, cache.softLimit) : (cache.softLimit, cache.limit)
    evictor.thread.storeSequential(platform.threads.current.rawValue)
    var sinceTrim = 0
    while goesOn() {
      do throws(LugeError) {
        evictor.isAwake.store(1)
        var isStuck = false
        while goesOn() && epochs.account.estimate > target && !isStuck {
          let round = try evictAlone(evictor, to: target)
          try epochs.reclaim()
          isStuck = round.evicted == 0
          sinceTrim += round.evicted
          if sinceTrim >= TreeContext.evictionsBeforeTrim {
            try epochs.place().trimIfWasteful()
            sinceTrim = 0
          }
        }
        probe("cache.evictedAhead")
        // What cannot go now is not looked at again at once, however often it is called for.
        if isStuck { try pause(untilCalled: false) }
        evictor.isAwake.storeSequential(0)
        if epochs.account.estimate > calledAt && !isStuck { continue }
        if goesOn() { try pause(untilCalled: true) }
      } catch {
        if error.code == .killed { return }
      }
    }
  }

  private func evictAlone(_ evictor: Evictor, to target: Int) throws(LugeError) -> Round {
    try evictor.lock.acquire()
    defer { evictor.lock.unlock() }
    return try evictSome(to: target)
  }

  private func pause(untilCalled: Bool) throws(LugeError) {
    let end = untilCalled ? nil : platform.clock.now().advanced(byNanoseconds: 10_000_000)
    do throws(PlatformError) { try platform.threads.park(until: end) } catch {
      throw LugeError(error, doing: "waiting for work")
    }
  }

  /// Makes room for a block of so many bytes that is about to be allocated, as far as that goes: what
  /// cannot be evicted is overdrawn. Unpinned.
  func makeRoom(bytes: Int) throws(LugeError) {
    epochs.account.charge(bytes)
    defer { epochs.account.charge(-bytes) }
    while epochs.account.estimate > cache.limit {
      let round = try evictSome()
      try epochs.reclaim()
      if round.evicted == 0 { return }
    }
  }

  /// What a round of evictions came to.
  private struct Round {
    var evicted = 0
    /// No more pages than stay anyway.
    var isAtFloor = false
    var failure: LugeError?
  }

  @inline(never)
  private func makeRoom(waits: Bool) throws(LugeError) {
    let began = epochs.epoch
    var attempt = 0
    // Longer and longer, so that who holds up what was retired gets its turn.
    var pauses = 0
    while true {
      let round = try evictSome()
      // Its own pins have ended, so what it retired goes unless others hold it.
      try epochs.reclaim()
      if !waits || epochs.account.used <= cache.hardLimit { return }
      let isFutile = round.isAtFloor || attempt >= TreeContext.patience
      // What was retired may be most of it, and goes when a thread that is pinned now goes on.
      let isHeldUp =
        isFutile && attempt < TreeContext.heldUpPatience && epochs.isHeldUp(since: began)
      if isFutile && !isHeldUp && epochs.account.used / 2 <= cache.limit {
        probe("cache.overdrawn")
        return
      }
      if let failure = round.failure { throw failure }
      attempt = round.evicted > 0 ? 0 : attempt + 1
      if attempt == 1 { probe("cache.writerWaited") }
      if attempt > TreeContext.greatPatience {
        if !epochs.isHeldUp(since: began) { throw try exhausted() }
        // What was retired goes when that thread goes on, however long it takes.
        attempt = TreeContext.patience
      }
      try backOff(pauses, "waiting for memory")
      pauses += 1
    }
  }

  private func exhausted() throws(LugeError) -> LugeError {
    LugeError(
      .resourceExhausted, "memory is used up by what cannot be evicted",
      expected: "at most \(cache.limit) bytes",
      found: "\(epochs.account.bytes) bytes, \(try cache.count()) pages in memory, "
        + "\(epochs.readers.snapshots.load()) snapshots")
  }

  /// Evicts a few pages. Throws only `.killed`.
  private func evictSome(to target: Int? = nil) throws(LugeError) -> Round {
    let target = target ?? cache.limit
    var round = Round()
    var looks = 0
    while round.evicted < TreeContext.portion && looks < TreeContext.looks
      && epochs.account.estimate > target
    {
      looks += 1
      do throws(LugeError) {
        switch try evictOne() {
        case .evicted: round.evicted += 1
        case .kept: break
        case .none: return round
        case .floor:
          round.isAtFloor = true
          return round
        }
      } catch {
        if error.code == .killed { throw error }
        round.failure = error
        return round
      }
    }
    return round
  }

  enum Eviction {
    case evicted
    /// It is in use, and stays.
    case kept
    case none
    case floor
  }

  /// Evicts the page that is to go next, beside `floor` that stay, and chunks that are above their share;
  /// where no page may go, a chunk. Unpinned.
  func evictOne(keeping floor: Int? = nil) throws(LugeError) -> Eviction {
    var tree: BLinkTree?
    let choice = try cache.takeVictim(epochs, keeping: floor) { link in
      guard let leaf = Page(address: link.address).leaf else { return 0 }
      // Who wrote blindly does not come for what is there: these go in the order in which they came,
      // late enough that one write-out serves several writes.
      if leaf.isPartial { return EvictionQueue.place(link) == EvictionQueue.small ? 2 : 0 }
      return leaf.takeVisits()
    } claim: { link, mayBeUnused in
      let page = Page(address: link.address)
      if !mayBeUnused, let leaf = page.leaf, leaf.isUnused {
        probe("cache.unusedStays")
        return false
      }
      let owner = BLinkTree.owner(of: page)
      if !owner.beginMaintenance() { return false }
      if BLinkTree.claimResident(page) {
        tree = owner
        return true
      }
      owner.endMaintenance()
      return false
    }
    let victim: EvictionQueue.Victim
    switch choice {
    // What leads to pages on disk may go, but for the pages that stay.
    case .none: return try evictChunks(to: 0, most: 1) > 0 ? .evicted : .none
    case .floor: return try evictChunks(to: 0, most: 1) > 0 ? .evicted : .floor
    case .victim(let found): victim = found
    }
    guard let tree else { preconditionFailure("a victim's tree is known") }
    defer { tree.endMaintenance() }
    let page = Page(address: victim.page.address)
    let isGone: Bool
    do throws(LugeError) { isGone = try tree.evict(page) } catch {
      defer { page.releaseClaim() }
      try cache.putBack(victim)
      throw error
    }
    guard isGone else {
      // The claim keeps the page until it is back in its queue.
      defer { page.releaseClaim() }
      try cache.putBack(victim)
      return .kept
    }
    _ = cache.evictions.fetchAdd(1)
    if chunks.bytes.load() > UInt64(cache.chunkLimit) {
      _ = try evictChunks(to: cache.chunkLimit)
    }
    return .evicted
  }

  /// What the image of a page surely has, if it is made now: W. The tail; while the redo is
  /// replayed, the LSN of the record being replayed.
  var imageBound: UInt64 {
    let replayed = replayLSN.load()
    return replayed == 0 ? log.tail : replayed
  }
}
