internal import Platform

// Scans. A step takes from one leaf what lies within the bounds, and ends where that leaf ends: at
// its high key going up, at its page's low key going down. The next step starts there with a new
// descent, so whatever splits in between, no key is met twice and none is passed over.
//
// What a step takes are the addresses at the top of the leaf's words, held by the reader when the
// pin ends. What they stand for at the reader's snapshot is looked at one by one, unpinned: nothing
// that the snapshot needs can be installed, and no held record freed, in between.

/// What one step of a scan took.
struct ScanStep: Sendable {
  /// Index in the run of the first address taken, and after the last.
  var first: Int
  var end: Int
  /// Where to go on; nil when nothing is left between the bounds.
  var next: ScanBound?
  /// How much of its records is to be asked for: see `Record.askFar`.
  var span = 0
}

extension BLinkTree {
  /// Takes the least keys between the bounds, of one leaf, into run 0, behind what of it is still to
  /// be held.
  func scanUp(
    _ reader: Reader, behind held: Range<Int>, from lower: ScanBound, to upper: ScanBound,
    at snapshot: UInt64
  ) throws(LugeError) -> ScanStep {
    while true {
      let step = try scanUpResident(reader, behind: held, from: lower, to: upper, at: snapshot)
      if let step { return step }
      try pageIn(lower.key ?? [])
    }
  }

  /// Nil when the leaf is not in memory. `isApproached`: after `askAhead`.
  func scanUpResident(
    _ reader: Reader, behind held: Range<Int>, from lower: ScanBound, to upper: ScanBound,
    at snapshot: UInt64, isApproached: Bool = false
  ) throws(LugeError) -> ScanStep? {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    guard let place = approach(lower, isApproached: isApproached, pin), let leaf = place.leaf,
      !leaf.isPartial
    else { return nil }
    let page = place.page
    leaf.noteScan()
    // Usually the whole leaf is within.
    let begin = !lower.isExclusive && lower.isAt(page.low) ? .unbounded : lower
    let end = leaf.hasHigh && upper.isAbove(leaf.high) ? .unbounded : upper
    let span = leaf.recordSpan
    if !isApproached { leaf.askForRecords(max(0, place.near), span) }
    let step = LeafSlice.with(leaf, from: begin, to: end, near: place.near) { slice in
      let first = held.upperBound
      let count = slice.fillUp(
        reader, from: first, room: Reader.runCapacity &- held.count, at: snapshot)
      reader.hold(0, held.lowerBound, first &+ count)
      var next: ScanBound? = nil
      if count < slice.count {
        let last = reader.record(0, first &+ count &- 1).loadRelaxed() & ~Reader.unlooked
        next = .exclusive(Record(address: last).key.copy())
      } else if leaf.hasHigh && upper.reachesAbove(leaf.high) {
        next = .inclusive(leaf.high.copy())
      }
      return ScanStep(first: first, end: first &+ count, next: next, span: span)
    }
    if !isApproached, step.next != nil, let (branch, index) = place.posted {
      branch.askForLeaf(index &+ 1)
    }
    if leaf.isOftenSorted {
      putInOrder(page, leaf, pin)
      if let (branch, index) = place.posted, let new = page.leaf { branch.note(new, at: index) }
    }
    return step
  }

  /// Asks for what a step up from there will look at: the records that were appended to its leaf, and,
  /// for the step after it, all of the next leaf. Does nothing about what is not in memory.
  func askAhead(from lower: ScanBound) throws(LugeError) {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    guard let place = approach(lower, isApproached: true, pin), let leaf = place.leaf else {
      return
    }
    if let (branch, index) = place.posted { branch.askForLeaf(index &+ 1) }
    LeafSlice.askForAppended(leaf, span: leaf.recordSpan)
  }

  /// The page that a step up from there begins with. Unless the leaf was asked for before, asks for
  /// all of it that the step will look at.
  private func approach(_ lower: ScanBound, isApproached: Bool, _ pin: Pin) -> Place? {
    switch lower {
    case .unbounded: approach(ByteView.empty, isApproached: isApproached, pin)
    case .inclusive(let key), .exclusive(let key):
      // The array outlives the closure; nothing in it is kept.
      unsafe key.withUnsafeBytes {
        unsafe approach(ByteView($0), isApproached: isApproached, pin)
      }
    }
  }

  @inline(__always)
  private func approach(_ key: ByteView, isApproached: Bool, _ pin: Pin) -> Place? {
    let word = findChunk(key).word.load()
    if !ChunkWord.hasBranch(word) { return nil }
    let branch = ChunkWord.branch(word)
    let index = branch.position(key) &- 1
    var near = -1
    if !isApproached {
      near = branch.approachLeaf(index, key)
      branch.askForRest(index, from: max(0, near))
    }
    let page = Page(address: branch.node(index))
    guard let leaf = page.leaf else { return Place(page: page, leaf: nil) }
    branch.note(leaf, at: index)
    if !leaf.isBelow(key) {
      return Place(page: page, leaf: leaf, near: near, posted: (branch, index))
    }
    return moveRight(page, leaf, key, pin)
  }

  /// Takes the greatest keys between the bounds, of one leaf, into the end of a run.
  func scanDown(
    _ reader: Reader, run: Int, from lower: ScanBound, to upper: ScanBound
  ) throws(LugeError) -> ScanStep {
    while true {
      switch try scanDownResident(reader, run: run, from: lower, to: upper) {
      case .step(let step): return step
      case .missing(let key): try pageIn(key)
      }
    }
  }

  /// A step down, or the low key of a page or chunk that is not in memory.
  private enum StepDown {
    case step(ScanStep)
    case missing([UInt8])
  }

  private func scanDownResident(
    _ reader: Reader, run: Int, from lower: ScanBound, to upper: ScanBound
  ) throws(LugeError) -> StepDown {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    let end = upper.key ?? []
    // The array outlives the closure; nothing in it is kept.
    let place = unsafe end.withUnsafeBytes { unsafe lastLeaf(upper, ByteView($0), pin) }
    guard let (page, found) = place else {
      return .missing(
        unsafe end.withUnsafeBytes { unsafe findLastChunk(upper, ByteView($0)).low.copy() })
    }
    guard let leaf = found, !leaf.isPartial else { return .missing(page.low.copy()) }
    leaf.noteScan()
    let begin = lower.reachesBelow(page.low) ? .unbounded : lower
    let last = leaf.hasHigh && upper.isAbove(leaf.high) ? .unbounded : upper
    let step = LeafSlice.with(leaf, from: begin, to: last) { slice in
      let count = slice.fillDown(reader, run)
      let first = Reader.runCapacity &- count
      reader.hold(run, first, Reader.runCapacity)
      var next: ScanBound? = nil
      if count < slice.count {
        next = .exclusive(Record(address: reader.record(run, first).loadRelaxed()).key.copy())
      } else if page.low.count > 0 && lower.reachesBelow(page.low) {
        next = .exclusive(page.low.copy())
      }
      return ScanStep(first: first, end: Reader.runCapacity, next: next)
    }
    if leaf.isOftenSorted { putInOrder(page, leaf, pin) }
    return .step(step)
  }

  /// The record that a snapshot shows in place of one that is held in `place`: found by its key,
  /// and held there instead. 0 when there is none.
  @inline(never)
  func lookBeneath(
    _ held: Record, _ place: WordRef, at snapshot: UInt64
  ) throws(LugeError) -> UInt64 {
    while true {
      if let found = try lookBeneathResident(held, place, at: snapshot) { return found }
      try pageIn(held.key)
    }
  }

  private func lookBeneathResident(
    _ held: Record, _ place: WordRef, at snapshot: UInt64
  ) throws(LugeError) -> UInt64? {
    let pin = try context.pins.pin()
    defer { pin.end() }
    try checkOpen()
    guard let leaf = descend(held.key, pin)?.leaf else { return nil }
    leaf.noteScan()
    let top = Leaf.record(leaf.locate(held.key).word)
    if top == 0 { return leaf.isPartial ? nil : 0 }
    let found = visible(top, at: snapshot, leaf, pin).record
    if found == 0 && leaf.isPartial { return nil }
    // It may be a tombstone or lie apart: whoever comes to it again is to look again.
    place.store(found | Reader.unlooked)
    return found
  }

  /// The leaf with the last keys below the bound: the last posted page with a low key below it,
  /// then to the right until a high key reaches it. There are no left links.
  private func lastLeaf(
    _ bound: ScanBound, _ key: ByteView, _ pin: Pin
  ) -> (page: Page, leaf: Leaf?)? {
    guard var page = findLastPage(bound, key) else { return nil }
    while true {
      guard let leaf = page.leaf else { return (page, nil) }
      guard leaf.hasHigh else { return (page, leaf) }
      switch bound {
      case .unbounded: break
      case .inclusive:
        if ByteView.compare(key, leaf.high) < 0 { return (page, leaf) }
      case .exclusive:
        if ByteView.compare(key, leaf.high) <= 0 { return (page, leaf) }
      }
      probe("tree.movedRight")
      guard let right = step(from: page, leaf, found: findLastPage(bound, key), pin) else {
        return nil
      }
      page = right
    }
  }
}
