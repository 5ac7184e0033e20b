internal import Platform

// What a leaf word stands for: resolving versions as a reader and as a writer, and stamping.
// Everything here is pinned and waits for nothing, but for one brief back-off of a writer.

/// What a reader makes of a word.
struct Visible {
  /// Address of the newest record that counts, or 0. It may be a tombstone.
  var record: UInt64
  /// An undecided record was met, and surely comes later than everything seen.
  var sawPending: Bool
}

/// What a writer makes of a word.
enum Resolution {
  /// Address of the committed record to build on, or 0.
  case ready(UInt64)
  /// The log room paid for is used up: unpin, pass admission, start again.
  case needsAdmission
  /// For a batch only: an older one is undecided here. Address of its descriptor.
  case behind(UInt64)
}

extension BLinkTree {
  /// The snapshot of who wants the newest there is.
  static let latest = UInt64.max

  /// Finds the newest record from `top` down that was committed below `snapshot`, which is
  /// registered, or `latest`. Undecided ones are *pushed* unless they come later anyway: their LSN
  /// will be at or above a tail read here, so they come after this read in the one order of commits.
  @inline(__always)
  func visible(
    _ top: UInt64, at snapshot: UInt64 = BLinkTree.latest, _ leaf: Leaf, _ pin: Pin
  ) -> Visible {
    let word = Record(address: top).version.load()
    if VersionWord.state(word) == VersionWord.committed && VersionWord.body(word) < snapshot {
      return Visible(record: top, sawPending: false)
    }
    return visibleBeneath(top, snapshot, leaf, pin)
  }

  @inline(never)
  private func visibleBeneath(
    _ top: UInt64, _ snapshot: UInt64, _ leaf: Leaf, _ pin: Pin
  ) -> Visible {
    var result = Visible(record: top, sawPending: false)
    while result.record != 0 {
      let record = Record(address: result.record)
      let word = record.version.load()
      switch VersionWord.state(word) {
      case VersionWord.committed:
        if VersionWord.body(word) < snapshot { return result }
        result.record = record.beneath
      case VersionWord.aborted:
        probe("tree.abortedSkipped")
        result.record = record.beneath
      case VersionWord.pending:
        if word & VersionWord.helpWanted != 0 && pin.field(PinLayout.logBytes) > 0 {
          // Its writer keeps losing to readers: give it its LSN instead of pushing.
          leaf.markDirty()
          if stamp(record, pin) { continue }
        }
        guard let beneath = push(record, record.version, word, snapshot) else { continue }
        result = Visible(record: beneath, sawPending: true)
      default:
        let descriptor = CommitDescriptor(address: VersionWord.body(word))
        let commit = descriptor.word.load()
        switch VersionWord.state(commit) {
        case VersionWord.committed:
          if VersionWord.body(commit) < snapshot { return result }
          result.record = record.beneath
        case VersionWord.aborted:
          probe("tree.abortedSkipped")
          result.record = record.beneath
        default:
          guard let beneath = push(record, descriptor.word, commit, snapshot) else { continue }
          result = Visible(record: beneath, sawPending: true)
        }
      }
    }
    return result
  }

  /// Makes sure that what is pending in `word` gets no LSN below the tail of now. Answers the
  /// record beneath; nil when the word has changed: look again.
  ///
  /// The order of the loads matters: first the predecessor, which a committed record may lose, then
  /// the tail. If no push is needed, an LSN could only be reserved after this load of the tail, so
  /// the record was undecided when its predecessor was loaded.
  @inline(__always)
  private func push(
    _ record: Record, _ word: WordRef, _ seen: UInt64, _ snapshot: UInt64
  ) -> UInt64? {
    let beneath = record.beneath
    // Undecided when its predecessor was loaded, or else what was loaded belongs to a record that
    // is committed at or above the snapshot, and a reader of that snapshot needs none above it.
    if VersionWord.body(seen) >= snapshot { return beneath }
    let tail = context.log.tail
    if tail > VersionWord.body(seen) {
      let pushed = tail | (seen & VersionWord.helpWanted)
      if !word.compareExchange(expected: seen, desired: pushed) { return nil }
      probe("tree.pendingPushed")
    }
    return beneath
  }

  /// Finds the committed record to build on, deciding what is undecided: a pending record is
  /// stamped, a pending batch aborted, both after a brief wait. A batch, which has an `age`, waits
  /// for nothing, and gives way to an older one. Throws only `.killed`.
  func resolve(
    _ top: UInt64, _ leaf: Leaf, _ pin: Pin, age: UInt64? = nil
  ) throws(LugeError) -> Resolution {
    var address = top
    var waits = age == nil ? 0 : 1
    while address != 0 {
      let record = Record(address: address)
      let word = record.version.load()
      switch VersionWord.state(word) {
      case VersionWord.committed: return .ready(address)
      case VersionWord.aborted: address = record.beneath
      case VersionWord.pending:
        if waits == 0 {
          waits = 1
          try context.backOff(0, "meeting another write")
          continue
        }
        probe("tree.stampedForOther")
        leaf.markDirty()
        if !stamp(record, pin) { return .needsAdmission }
      default:
        let descriptor = CommitDescriptor(address: VersionWord.body(word))
        let commit = descriptor.word
        let seen = commit.load()
        switch VersionWord.state(seen) {
        case VersionWord.committed: return .ready(address)
        case VersionWord.aborted: address = record.beneath
        default:
          if waits == 0 {
            waits = 1
            try context.backOff(0, "meeting a batch")
            continue
          }
          if let age, descriptor.age < age { return .behind(descriptor.address) }
          if commit.compareExchange(expected: seen, desired: VersionWord.aborted) {
            probe("tree.batchAborted")
          }
        }
      }
    }
    return .ready(0)
  }

  /// Gives a pending record its LSN and fills the piece. True when the record is decided:
  /// committed, or aborted because the log refused. False when the log room paid for is used up.
  func stamp(_ record: Record, _ pin: Pin) -> Bool {
    let pieceBytes = redoPieceBytes(record)
    var losses = 0
    while true {
      var word = record.version.load()
      if VersionWord.state(word) != VersionWord.pending { return true }
      if losses >= 3 && word & VersionWord.helpWanted == 0 {
        let wanted = word | VersionWord.helpWanted
        if !record.version.compareExchange(expected: word, desired: wanted) { continue }
        word = wanted
      }
      let lsn = context.reserve(pieceBytes, pin)
      if lsn == TreeContext.needsAdmission { return false }
      if lsn == TreeContext.refused {
        abort(record.version)
        return true
      }
      // An injected failure here is as good as a lost race.
      let goesOn = (try? context.interrupt("tree.reserved")) != nil
      if goesOn
        && record.version.compareExchange(expected: word, desired: lsn | VersionWord.committed)
      {
        fill(lsn, bytes: pieceBytes, record)
        return true
      }
      probe("tree.stampLost")
      context.log.fillPad(lsn, bytes: pieceBytes)
      losses += 1
    }
  }

  /// Turns a pending word into an aborted one. True when it is aborted now.
  @discardableResult
  func abort(_ word: WordRef) -> Bool {
    while true {
      let seen = word.load()
      if VersionWord.state(seen) != VersionWord.pending {
        return VersionWord.state(seen) == VersionWord.aborted
      }
      if word.compareExchange(expected: seen, desired: VersionWord.aborted) { return true }
    }
  }
}
