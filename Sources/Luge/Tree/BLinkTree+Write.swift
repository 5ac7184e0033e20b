internal import Platform

// The single-key write. Its order of steps is the heart of the engine:
// admission (unpinned), pin, find the word, resolve it, decide, install, mark dirty, stamp, drop
// the versions that no snapshot needs, unpin. The LSN is taken *after* the install, and nobody sees the record before
// it has one: so the order of LSNs is an order of writes that every observer agrees with.

extension BLinkTree {
  /// One try of a write between two admissions.
  enum WriteAttempt {
    case done(applied: Bool)
    /// Another thread was in the way and used up the log room paid for: admission again.
    case again
    /// The leaf is not in memory: page it in, unpinned.
    case missing
    /// A value that lies apart has to be read or written first: see `ApartWrite`.
    case apart
  }

  /// Writes one key; answers with a copy of the value found.
  func update(_ key: UnsafeRawBufferPointer, _ mode: WriteMode) throws(LugeError) -> WriteResult {
    var old: [UInt8]? = nil
    let applied = unsafe try write(ByteView(key), mode, &old)
    return WriteResult(applied: applied, old: old)
  }

  /// Sets the value of a key, and copies nothing of what was there.
  func put(_ key: UnsafeRawBufferPointer, _ value: ByteView) throws(LugeError) {
    var old: [UInt8]? = nil
    _ = unsafe try write(ByteView(key), PutWrite(value: value), &old)
  }

  /// Takes a key away, and copies nothing of what was there.
  func discard(_ key: UnsafeRawBufferPointer) throws(LugeError) {
    var old: [UInt8]? = nil
    _ = unsafe try write(ByteView(key), RemoveWrite(), &old)
  }

  /// Takes a key away; whether it had a value, which is not read.
  func take(_ key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    var old: [UInt8]? = nil
    return unsafe try write(ByteView(key), TakeWrite(), &old)
  }

  // A write asks once, first, whether a simulation is going on: only then does it run a copy of its path
  // that has fault points. The copies are not inlined into one function, so that they take no registers
  // from each other. `isSimulated` is known wherever it is asked.

  /// False only for an exchange that found something else than it expected, and for nothing to take.
  @inline(__always)
  private func write<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ old: inout [UInt8]?
  ) throws(LugeError) -> Bool {
    if seamIsArmed { return try simulatedWrite(key, kind, &old) }
    return try write(key, kind, &old, isSimulated: false)
  }

  @inline(never)
  private func simulatedWrite<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ old: inout [UInt8]?
  ) throws(LugeError) -> Bool {
    try write(key, kind, &old, isSimulated: true)
  }

  @inline(__always)
  private func write<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ old: inout [UInt8]?, isSimulated: Bool
  ) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    try BLinkTree.checkValue(kind.valueCount ?? 0)
    if isLarge(kind.valueCount ?? 0) { return try writeApart(key, kind, &old) }
    let pieceBytes = redoPieceBytes(key: key.count, value: kind.valueCount)
    // Page-in has made room; who did it again would evict what was just read.
    var overdraws = false
    while true {
      let attempt = try admittedAttempt(
        key, kind, pieceBytes, &old, overdraws, nil, isSimulated: isSimulated)
      switch attempt {
      case .done(let applied): return applied
      case .again: continue
      case .apart: return try writeApart(key, kind, &old)
      case .missing:
        try pageIn(key)
        overdraws = true
      }
    }
  }

  @inline(__always)
  func admittedAttempt<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ pieceBytes: Int, _ old: inout [UInt8]?, _ overdraws: Bool,
    _ apart: ApartWrite<Kind>?, isSimulated: Bool = seamIsArmed
  ) throws(LugeError) -> WriteAttempt {
    let pin = try context.epochs.place()
    let admitted = try context.admit(pieceBytes, pin, overdraws: overdraws)
    defer { context.leave(admitted) }
    pin.begin()
    defer { pin.end() }
    try checkOpen()
    return isSimulated
      ? try simulatedAttempt(key, kind, pieceBytes, &old, apart, pin)
      : try plainAttempt(key, kind, pieceBytes, &old, apart, pin)
  }

  @inline(never)
  private func plainAttempt<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ pieceBytes: Int, _ old: inout [UInt8]?,
    _ apart: ApartWrite<Kind>?, _ pin: Pin
  ) throws(LugeError) -> WriteAttempt {
    try attempt(key, kind, pieceBytes, &old, apart, pin, isSimulated: false)
  }

  @inline(never)
  private func simulatedAttempt<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ pieceBytes: Int, _ old: inout [UInt8]?,
    _ apart: ApartWrite<Kind>?, _ pin: Pin
  ) throws(LugeError) -> WriteAttempt {
    try attempt(key, kind, pieceBytes, &old, apart, pin, isSimulated: true)
  }

  @inline(__always)
  private func attempt<Kind: KeyWrite>(
    _ key: ByteView, _ kind: Kind, _ pieceBytes: Int, _ old: inout [UInt8]?,
    _ apart: ApartWrite<Kind>?, _ pin: Pin, isSimulated: Bool
  ) throws(LugeError) -> WriteAttempt {
    while true {
      // Whoever sets a value and does not ask for the former one need not know it.
      let isBlind = Kind.isBlind && apart == nil
      guard let place = approach(key, pin),
        let leaf = place.leaf ?? (isBlind ? beginPartial(place.page, key, pin) : nil)
      else { return .missing }
      let page = place.page
      leaf.noteVisit()
      var slot = leaf.locate(key, near: place.near)
      while true {
        if slot.word & Leaf.frozen != 0 {
          try helpFrozen(page, leaf, pin)
          break
        }
        var beneath = Leaf.record(slot.word)
        if beneath != 0 && !Record(address: beneath).isCommitted {
          guard case .ready(let found) = try resolve(beneath, leaf, pin) else { return .again }
          beneath = found
        }
        // A partial leaf has nothing that lies apart, and lies over nothing that does.
        let isUnknown = beneath == 0 && leaf.isPartial
        if isUnknown && !Kind.isBlind { return .missing }
        guard let decision = decide(kind, beneath, apart) else { return .apart }
        let value: ByteView?
        switch decision {
        case .leave(let applied):
          if Kind.wantsFormer { old = oldValue(beneath, apart) }
          return .done(applied: applied)
        case .write(let new): value = new
        }
        let isApart = isLarge(value?.count ?? 0)
        if leaf.isPartial && (isApart || value == nil || isFull(partial: leaf, slot)) {
          return .missing
        }
        if isApart && apart?.reference == nil { return .apart }
        if slot.index == leaf.wordCount {
          try consolidate(page, leaf, pin)
          break
        }
        if isSimulated { try context.interrupt("tree.install") }
        // Helping others may have used what this write needs.
        if !context.mayInstall(pieceBytes, pin) { return .again }
        let record =
          isApart
          ? buildApart(key, apart, beneath, pin)
          : Record.build(
            pin, version: VersionWord.pending, key: key, value: value, predecessor: beneath)
        guard install(record, leaf, slot, beneath, pin) else {
          record.free(pin)
          slot = relocate(leaf, key, slot)
          continue
        }
        let wasPresent = isUnknown || presentValue(beneath) != nil
        let isCommitted =
          isSimulated
          ? try simulatedCommit(record, pieceBytes, wasPresent, pin)
          : try commit(record, pieceBytes, wasPresent, pin)
        guard isCommitted else { return .again }
        if isApart { apart?.reference = nil }
        if Kind.wantsFormer { old = oldValue(beneath, apart) }
        if beneath != 0 { context.pruneCommitted(record, pin) }
        trim(page, leaf, pin)
        return .done(applied: true)
      }
    }
  }

  @inline(never)
  private func helpFrozen(_ page: Page, _ leaf: Leaf, _ pin: Pin) throws(LugeError) {
    probe("tree.helpedFrozen")
    try consolidate(page, leaf, pin)
  }

  /// What a write does about the record that it builds on; nil where that hangs on a value that lies
  /// apart and is not here.
  @inline(__always)
  private func decide<Kind: KeyWrite>(
    _ kind: Kind, _ beneath: UInt64, _ apart: ApartWrite<Kind>?
  ) -> WriteDecision? {
    if beneath != 0 && Record(address: beneath).isReference {
      return apart?.decide(on: Record(address: beneath))
    }
    return kind.decide(presentValue(beneath))
  }

  /// A copy of the value that a write found. The pin holds its record.
  @inline(__always)
  private func oldValue<Kind>(_ beneath: UInt64, _ apart: ApartWrite<Kind>?) -> [UInt8]? {
    if beneath != 0 && Record(address: beneath).isReference { return apart?.found?.bytes }
    return presentValue(beneath)?.copy()
  }

  @inline(never)
  private func buildApart<Kind>(
    _ key: ByteView, _ apart: ApartWrite<Kind>?, _ beneath: UInt64, _ pin: Pin
  ) -> Record {
    guard let reference = apart?.reference else { preconditionFailure("the value is not apart") }
    return Record.build(
      pin, version: VersionWord.pending, key: key, reference: reference, predecessor: beneath)
  }

  /// Of a record that lies in its leaf as well as of one whose value lies apart: then it is empty.
  @inline(__always)
  func presentValue(_ address: UInt64) -> ByteView? {
    if address == 0 { return nil }
    let record = Record(address: address)
    return record.isTombstone ? nil : record.value
  }

  /// Puts a record into its word over what was seen there. On success the aborted records between
  /// it and what it builds on are retired, and the leaf is dirty.
  @inline(__always)
  func install(
    _ record: Record, _ leaf: Leaf, _ slot: LeafSlot, _ beneath: UInt64, _ pin: Pin
  ) -> Bool {
    let word = Leaf.word(record, record.key)
    guard leaf.word(slot.index).compareExchange(expected: slot.word, desired: word) else {
      return false
    }
    // Before the commit: a write-out that clears the flag later sees the record and sets it again.
    leaf.markDirty()
    if Leaf.record(slot.word) != beneath { retireAborted(Leaf.record(slot.word), beneath, pin) }
    if leaf.isAscending && Leaf.record(slot.word) == 0 { leaf.noteAppended(slot.index, record.key) }
    // What was counted is the top, an aborted record too. It lives as long as the pin.
    let top = Leaf.record(slot.word)
    let former = top == 0 ? 0 : Record(address: top).weight
    leaf.addWeight(record.weight &- former)
    return true
  }

  /// Retires the aborted records from `top` down to what counts.
  @inline(never)
  private func retireAborted(_ top: UInt64, _ beneath: UInt64, _ pin: Pin) {
    var skipped = top
    while skipped != beneath {
      let aborted = Record(address: skipped)
      skipped = aborted.beneath
      aborted.retire(pin)
    }
  }

  /// After a lost install: the word to look at next. A lost append word may now hold the same key.
  @inline(never)
  func relocate(_ leaf: Leaf, _ key: ByteView, _ slot: LeafSlot) -> LeafSlot {
    if Leaf.record(slot.word) != 0 {
      probe("tree.wordRaced")
      return LeafSlot(index: slot.index, word: leaf.word(slot.index).load())
    }
    probe("tree.appendRaced")
    return leaf.locateAppended(key, from: slot.index)
  }

  /// Stamps one's own record, whose piece has `pieceBytes` bytes. True when it is committed; false
  /// when it was taken back for want of log room. Throws when the log takes nothing any more.
  @inline(__always)
  private func commit(
    _ record: Record, _ pieceBytes: Int, _ wasPresent: Bool, _ pin: Pin
  ) throws(LugeError) -> Bool {
    let lsn = context.reserve(pieceBytes, pin)
    if lsn < TreeContext.needsAdmission
      && record.version.compareExchange(
        expected: VersionWord.pending, desired: lsn | VersionWord.committed)
    {
      fill(lsn, bytes: pieceBytes, record)
    } else {
      guard try commitSlowly(record, lsn, pieceBytes, pin) else { return false }
    }
    adjustCount(from: wasPresent, to: !record.isTombstone, pin)
    return true
  }

  /// The same with the fault points of a simulation.
  @inline(never)
  private func simulatedCommit(
    _ record: Record, _ pieceBytes: Int, _ wasPresent: Bool, _ pin: Pin
  ) throws(LugeError) -> Bool {
    do { try context.interrupt("tree.stamp") } catch {
      // Unless somebody has given it an LSN, nobody has seen it.
      if abort(record.version) { throw error }
    }
    let lsn = context.reserve(pieceBytes, pin)
    // An injected failure here is as good as a lost race.
    if lsn < TreeContext.needsAdmission && (try? context.interrupt("tree.reserved")) != nil
      && record.version.compareExchange(
        expected: VersionWord.pending, desired: lsn | VersionWord.committed)
    {
      fill(lsn, bytes: pieceBytes, record)
    } else {
      guard try commitSlowly(record, lsn, pieceBytes, pin) else { return false }
    }
    adjustCount(from: wasPresent, to: !record.isTombstone, pin)
    return true
  }

  /// Once more for a record that others have pushed or decided, or that the log had no room for: `lsn`
  /// is what its reservation came to.
  @inline(never)
  private func commitSlowly(
    _ record: Record, _ lsn: UInt64, _ pieceBytes: Int, _ pin: Pin
  ) throws(LugeError) -> Bool {
    if lsn < TreeContext.needsAdmission {
      probe("tree.stampLost")
      context.log.fillPad(lsn, bytes: pieceBytes)
    }
    if !stamp(record, pin) && abort(record.version) { return false }
    if VersionWord.state(record.version.load()) == VersionWord.aborted {
      throw context.refusal()
    }
    return true
  }

  /// Counts an entry more or less, in the stripe of the calling thread's place.
  @inline(__always)
  func adjustCount(from wasPresent: Bool, to isPresent: Bool, _ pin: Pin) {
    if isPresent != wasPresent { _ = countStripe(pin).fetchAdd(isPresent ? 1 : 0 &- 1) }
  }

  /// Rebuilds a leaf that has become too heavy, when there is something to split.
  @inline(__always)
  func trim(_ page: Page, _ leaf: Leaf, _ pin: Pin) {
    if leaf.isHeavy(context.settings) && leaf.hasSeveral && !leaf.isPartial {
      // The write is done whatever becomes of this: a leaf left frozen is rebuilt by the next
      // writer.
      try? consolidate(page, leaf, pin)
    }
  }
}
