internal import Platform

// The versions beneath the newest one of a key: kept while a snapshot may need them, dropped by
// writers, consolidation and write-out, any number of threads at once.
//
// A version V with commit L, under the next newer one with commit L', is needed by a reader at S
// when L < S <= L'. Readers that register later have S at or above the tail of now, so they need
// it only if L' is not below that.
//
// Taking a record out of the middle of a chain takes two steps, as in Harris's list: its own
// predecessor word gets the bit `leaving`, and changes no more; then the word above is swung to what
// is beneath, and whoever swings it retires the record. A word above that is itself leaving cannot
// be swung: its record goes first.

extension TreeContext {
  /// Drops the versions beneath a committed record that no reader needs. After its LSN was
  /// reserved.
  @inline(__always)
  func prune(_ record: Record, _ pin: Pin) {
    if record.predecessor.load() == 0 { return }
    pruneChain(record, pin)
  }

  /// The same for a record that the caller has just committed over another.
  @inline(__always)
  func pruneCommitted(_ record: Record, _ pin: Pin) {
    // Whoever registers after this load reads at a tail above all versions of this chain.
    if epochs.readers.snapshots.loadSequential() == 0 {
      dropPredecessors(of: record, pin)
    } else {
      prune(record, pin)
    }
  }

  @inline(never)
  private func pruneChain(_ top: Record, _ pin: Pin) {
    guard var newerLSN = commitLSN(top) else { return }
    // Whoever registers after this load reads at a tail above all versions of this chain.
    if epochs.readers.snapshots.loadSequential() == 0 { return dropPredecessors(of: top, pin) }
    let horizon = log.sequentialTail
    var newer = top
    while true {
      let link = newer.predecessor.load()
      if link == 0 || link & Record.leaving != 0 { return }
      let older = Record(address: link)
      let next = older.predecessor.load()
      if next & Record.leaving == 0 {
        guard let olderLSN = commitLSN(older) else { return }
        if isNeeded(from: olderLSN, until: newerLSN, horizon) {
          probe("tree.versionKept")
          if older.isReference { keptValues.store(1) }
          newer = older
          newerLSN = olderLSN
          continue
        }
        if !older.predecessor.compareExchange(expected: next, desired: next | Record.leaving) {
          continue
        }
      }
      let beneath = next & ~Record.leaving
      if newer.predecessor.compareExchange(expected: link, desired: beneath) {
        if beneath != 0 { probe("tree.versionTakenOut") }
        retireVersion(older, pin)
      }
    }
  }

  /// The LSN of a committed record; nil when it is undecided or aborted.
  func commitLSN(_ record: Record) -> UInt64? {
    var word = record.version.load()
    if VersionWord.state(word) == VersionWord.transaction {
      word = CommitDescriptor(address: VersionWord.body(word)).word.load()
    }
    return VersionWord.state(word) == VersionWord.committed ? VersionWord.body(word) : nil
  }

  /// Whether a reader may need the version committed at `older`, beneath the one committed at
  /// `newer`. `horizon` is a tail that was loaded before.
  func isNeeded(from older: UInt64, until newer: UInt64, _ horizon: UInt64) -> Bool {
    if newer >= horizon { return true }
    var candidate = epochs.readers.first
    while let reader = candidate {
      let word = reader.snapshot.loadSequential()
      if word & Reader.claiming != 0 {
        // Its S is not known yet, but for a lower bound.
        if word & ~7 <= newer { return true }
      } else if word & 7 == 0 && word > older && word <= newer {
        return true
      }
      candidate = Reader(address: reader.next.loadRelaxed())
    }
    return false
  }

  /// No reader, now or later, needs a version that was replaced below this. Least of the tail of now
  /// and every registered snapshot.
  func horizon() -> UInt64 {
    var least = log.sequentialTail
    if epochs.readers.snapshots.loadSequential() == 0 { return least }
    var candidate = epochs.readers.first
    while let reader = candidate {
      let word = reader.snapshot.loadSequential()
      let bound = word & ~7
      if word & Reader.withoutSnapshot == 0 && word != Reader.free && bound < least {
        least = bound
      }
      candidate = Reader(address: reader.next.loadRelaxed())
    }
    return least
  }

  /// Registers a snapshot: it contains everything acknowledged before, and nothing enters below it
  /// later.
  ///
  /// The lower bound is published first, the tail that counts is loaded afterwards: whoever drops
  /// versions and does not see the bound has loaded its own tail before this one.
  func beginSnapshot() -> (reader: Reader, lsn: UInt64) {
    let reader = epochs.readers.take(log.tail | Reader.claiming)
    _ = epochs.readers.snapshots.fetchAdd(1)
    let lsn = log.sequentialTail
    reader.snapshot.storeSequential(lsn)
    return (reader, lsn)
  }

  /// One more reader at a snapshot that another one keeps registered meanwhile.
  func beginSnapshot(sharing lsn: UInt64) -> Reader {
    _ = epochs.readers.snapshots.fetchAdd(1)
    return epochs.readers.take(lsn)
  }

  func endSnapshot(_ reader: Reader) {
    epochs.readers.giveBack(reader)
    _ = epochs.readers.snapshots.fetchSubtract(1)
  }
}

extension TreeContext {
  /// Cuts off and retires all versions beneath a committed record. Whoever exchanges an address out
  /// is the one who retires it, so several threads may do this at once.
  @inline(__always)
  func dropPredecessors(of record: Record, _ pin: Pin) {
    var link = record.predecessor.load()
    while true {
      // A record that is leaving hands what is beneath it to the one above.
      if link == 0 || link & Record.leaving != 0 { return }
      if record.predecessor.compareExchange(expected: link, desired: 0) { break }
      link = record.predecessor.load()
    }
    let former = Record(address: link)
    // Nearly always the last: nothing comes beneath a record later, so no exchange is needed.
    let beneath = former.predecessor.load()
    if beneath != 0 { dropChain(former.predecessor.exchange(0), pin) }
    retireVersion(former, pin)
  }

  /// Retires what an exchanged predecessor word leads to.
  @inline(never)
  private func dropChain(_ first: UInt64, _ pin: Pin) {
    // Bits of a thread that wanted to take it out, and can no longer.
    var link = first & ~Record.leaving
    while link != 0 {
      let record = Record(address: link)
      link = record.predecessor.exchange(0) & ~Record.leaving
      retireVersion(record, pin)
    }
  }

  /// Retires a committed version that was taken out of its chain because no reader needs it, and gives
  /// its value up, if that lies apart.
  @inline(__always)
  func retireVersion(_ record: Record, _ pin: Pin) {
    if record.isReference { giveUpValue(of: record, pin) }
    record.retire(pin)
  }

  @inline(never)
  private func giveUpValue(of record: Record, _ pin: Pin) {
    releasedValues.push(record.reference.part(key: record.keyCount), pin)
  }

  /// Frees what they left without a release: when the database goes.
  func discardReleased() throws(LugeError) {
    try released.discard(epochs)
    try releasedValues.discard(epochs)
  }

  /// Releases what pinned threads have let go of. Unpinned.
  func drainReleased() throws(LugeError) {
    try released.drain(pages, epochs)
    // The tail of now: every redo record that names one of them lies below.
    try releasedValues.drain(values, epochs) { log.tail }
  }
}
