internal import Platform

/// A walk over a range of a tree, as it was at one moment, from both ends, until they have met. What
/// cursors are made of, but for their window.
///
/// Between calls it keeps its snapshot registered and holds the records of at most three leaves; no
/// pin, so a slow caller holds back these records and the versions of its snapshot, and nothing else.
///
/// Addresses go from a leaf into a run, where they are held. The front's window lies over that part of
/// its run which was looked at and shown as it is; where something else is shown in a record's place, or
/// nothing, and for the back, addresses are copied into the window's own memory, a few at a time. From a
/// window they go to the caller. Run and window 0 are the front's, 1 the back's.
///
/// Invariants:
/// - `lower` and `upper` bound what no run holds yet; what is left of the runs lies outside them,
///   run 0 below, run 1 above.
/// - What is left of a window comes before what is left of its run, as the front or the back goes.
/// - An entry whose value lies apart is in no window: when it is its turn, its value is read into a
///   record of its own, which is held until the next such entry. (Unless only keys are wanted.)
struct TreeWalk: ~Copyable, Sendable {
  /// Keeps the record of the last entry whose value lies apart. Goes before what keeps its memory.
  private var held: RecordHold?
  private let tree: BLinkTree
  let reader: Reader
  /// What was committed below this LSN is seen.
  let snapshot: UInt64
  /// Nil when everything has been read into a run.
  private var lower: ScanBound?
  private var upper: ScanBound?
  /// Of the runs, what was not looked at yet.
  private var front = 0..<0
  private var back = 0..<0
  /// Records of run 0 before this index have been asked for.
  private var asked = 0
  /// How much of each.
  private var span = 0
  /// Where the front does something about the next leaf: see `readAhead`.
  private var turn = 0
  /// What the next step up will look at was asked for.
  private var isApproached = false
  private let keysOnly: Bool

  /// - Parameter shared: a snapshot that somebody keeps registered for as long as the cursor is;
  ///   nil: one of the cursor's own, of now.
  init(
    _ tree: BLinkTree, from lower: ScanBound = .unbounded, to upper: ScanBound = .unbounded,
    at shared: UInt64? = nil, keysOnly: Bool = false
  ) {
    self.tree = tree
    self.keysOnly = keysOnly
    held = nil
    if let shared {
      reader = tree.context.beginSnapshot(sharing: shared)
      snapshot = shared
    } else {
      (reader, snapshot) = tree.context.beginSnapshot()
    }
    self.lower = lower
    self.upper = upper
    if ScanBound.isEmpty(lower, upper) { finish() }
  }

  deinit { tree.context.endSnapshot(reader) }

  // MARK: Moving

  /// Goes to the next entry from below, when the window has none left; false at the end.
  mutating func lookUp(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    unsafe window.record = reader.emptyRecord
    if front.lowerBound >= turn { try readAhead() }
    if !front.isEmpty && fillFront(&window) && window.takeNext() { return true }
    return try lookUpSlowly(&window)
  }

  @inline(never)
  private mutating func lookUpSlowly(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    while true {
      if front.isEmpty, try !readUp() { return try meetBack(&window) }
      if fillFront(&window) {
        if window.takeNext() { return true }
      } else if try fillFrontSlowly(&window) || window.takeNext() {
        return true
      }
    }
  }

  /// Goes to the next entry from above, when the window has none left; false at the end.
  mutating func lookDown(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    unsafe window.record = reader.emptyRecord
    while true {
      if back.isEmpty, try !readDown() { return try meetFront(&window) }
      if try fillBack(&window) || window.takePrevious() { return true }
    }
  }

  /// Nothing is left between the runs: goes on from below in the back's.
  private mutating func meetBack(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    while let index = back.first {
      let address = try whole(reader.record(1, index))
      back.removeFirst()
      if address != 0 { return window.at(address) }
    }
    return window.takeLowestOfBack()
  }

  /// Nothing is left between the runs: goes on from above in the front's.
  private mutating func meetFront(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    while let index = front.last {
      let address = try whole(reader.record(0, index))
      front.removeLast()
      if address != 0 { return window.at(address) }
    }
    return window.takeHighestOfFront()
  }

  // MARK: Looking

  /// What a held address stands for at the snapshot; 0 when that is nothing.
  @inline(__always)
  private func shown(_ place: WordRef) throws(LugeError) -> UInt64 {
    var address = place.loadRelaxed() & ~Reader.unlooked
    // It was looked for before, and there is none.
    if address == 0 { return 0 }
    let word = Record(address: address).version.load()
    if VersionWord.state(word) != VersionWord.committed || VersionWord.body(word) >= snapshot {
      probe("tree.scanLookedBeneath")
      address = try tree.lookBeneath(Record(address: address), place, at: snapshot)
      if address == 0 { return 0 }
    }
    return Record(address: address).isTombstone ? 0 : address
  }

  /// `shown`, with its value in memory.
  private mutating func whole(_ place: WordRef) throws(LugeError) -> UInt64 {
    let address = try shown(place)
    return address != 0 && isApart(address) ? try read(address, place) : address
  }

  @inline(__always)
  private func isApart(_ address: UInt64) -> Bool {
    Record(address: address).isReference && !keysOnly
  }

  /// Reads the value of a record that is held in `place` and lies apart. Answers a record that has it.
  @inline(never)
  private mutating func read(_ address: UInt64, _ place: WordRef) throws(LugeError) -> UInt64 {
    // The one before goes first: two may be more than there is room for.
    held = nil
    var attempt = ApartAttempt()
    var address = address
    while true {
      let record = Record(address: address)
      let reference = record.reference
      try attempt.check(reference)
      do throws(LugeError) {
        let (found, hazard) = try tree.materialize(record.key, reference)
        held = RecordHold(tree, found, HazardGuard(hazard))
        return found.address
      } catch { try attempt.note(error, reference) }
      // It was moved; and if the page was evicted meanwhile, this record does not know.
      address = try tree.lookBeneath(record, place, at: snapshot)
      if address == 0 { throw attempt.failed }
    }
  }

  /// Shows the next few of run 0, which has some. False when the first of them is not shown as it is.
  @inline(__always)
  private mutating func fillFront(_ window: inout CursorWindow) -> Bool {
    let first = front.lowerBound
    let end = front.upperBound
    let start = Reader.place(first)
    // Not beyond the run's end: a window does not wrap around.
    let stop = min(end, first &+ min(TreeWalk.portion, Reader.runCapacity &- start))
    let run = unsafe reader.slots(0)
    var ask = max(asked, first)
    let goal = min(end, stop &+ ahead, ask &+ 2 &* TreeWalk.portion)
    let span = span
    while ask < goal {
      unsafe Record(address: run[Reader.place(ask)]).askFar(span)
      ask &+= 1
    }
    asked = ask
    let (begin, length) = unsafe (run + start, stop &- first)
    var marks: UInt64 = 0
    var count = 0
    while count < length {
      marks |= unsafe begin[count]
      count &+= 1
    }
    if marks & Reader.unlooked != 0 { count = look(first, length) }
    if count == 0 { return false }
    front = unsafe Range(uncheckedBounds: (lower: first &+ count, upper: end))
    unsafe (window.frontNext, window.frontEnd) = (begin, begin + count)
    return true
  }

  /// Looks at records of run 0 from index `first` on, and says so of those that are shown as they are. How
  /// many these are, before the first other one.
  @inline(never)
  private func look(_ first: Int, _ length: Int) -> Int {
    var count = 0
    while count < length {
      let place = reader.record(0, first &+ count)
      let word = place.loadRelaxed()
      if word & Reader.unlooked != 0 {
        if word == Reader.unlooked { return count }
        let record = Record(address: word & ~Reader.unlooked)
        if !record.isShown(at: snapshot) { return count }
        place.store(record.address)
      }
      count &+= 1
    }
    return count
  }

  /// Addresses of the front that are looked at in one go: the lines that are asked for with so many are
  /// fewer than a processor has on their way at once (16), so it does not wait to ask.
  private static let portion = 4
  /// How far ahead of them records are asked for: a load from memory takes as long as some ten entries.
  /// Less at first, because a short range has no use for more: of 100 entries, 18 too many.
  @inline(__always)
  private var ahead: Int { min(32, 12 &+ front.lowerBound >> 4) }

  /// The same where something is to be left out, to be looked for beneath, or lies apart.
  @inline(never)
  private mutating func fillFrontSlowly(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    let start = unsafe reader.window(0)
    var place = unsafe start
    var index = front.lowerBound
    let first = index
    let stop = min(front.upperBound, index &+ Reader.windowCapacity)
    defer {
      front = index..<front.upperBound
      unsafe (window.frontNext, window.frontEnd) = (start, place)
    }
    while index < stop {
      let address: UInt64
      do throws(LugeError) { address = try shown(reader.record(0, index)) } catch {
        if index > first { return false }
        throw error
      }
      if address != 0 && isApart(address) {
        if unsafe place > start { return false }
        let found = try read(address, reader.record(0, index))
        index &+= 1
        return window.at(found)
      }
      unsafe place.pointee = address
      unsafe place += address == 0 ? 0 : 1
      index &+= 1
    }
    return false
  }

  /// Looks at the next few of run 1. Throws only when the first of them cannot be looked at. True when
  /// the first is one whose value lies apart: the window is at it.
  private mutating func fillBack(_ window: inout CursorWindow) throws(LugeError) -> Bool {
    let start = unsafe reader.window(1)
    var place = unsafe start
    var end = back.upperBound
    let last = end
    let stop = max(back.lowerBound, end &- Reader.windowCapacity)
    defer {
      back = back.lowerBound..<end
      unsafe (window.backNext, window.backEnd) = (start, place)
    }
    while end > stop {
      let ahead = end &- 1 &- Reader.windowCapacity
      if ahead >= back.lowerBound { ask(reader.record(1, ahead)) }
      let address: UInt64
      do throws(LugeError) { address = try shown(reader.record(1, end &- 1)) } catch {
        if end < last { return false }
        throw error
      }
      if address != 0 && isApart(address) {
        if unsafe place > start { return false }
        let found = try read(address, reader.record(1, end &- 1))
        end &-= 1
        return window.at(found)
      }
      unsafe place.pointee = address
      unsafe place += address == 0 ? 0 : 1
      end &-= 1
    }
    return false
  }

  /// Asks for the cache lines of a record of ordinary size.
  @inline(__always)
  private func ask(_ place: WordRef) {
    let base = unsafe Record(address: place.loadRelaxed()).base
    unsafe prefetch(base)
    unsafe prefetch(base + 64)
    unsafe prefetch(base + 128)
  }

  // MARK: Reading leaves

  private mutating func finish() {
    lower = nil
    upper = nil
  }

  /// Reads the next leaf from below into run 0; false when there is none.
  private mutating func readUp() throws(LugeError) -> Bool {
    guard let from = lower, let to = upper else { return false }
    try tree.context.interrupt("tree.scan")
    took(try tree.scanUp(reader, behind: front, from: from, to: to, at: snapshot), to)
    return true
  }

  /// When little is left of the front: asks for what the next leaf has appended; when less is left, reads
  /// it, if it is in memory. So the loads of one leaf overlap the work on the one before.
  @inline(never)
  private mutating func readAhead() throws(LugeError) {
    turn = .max
    guard let from = lower, let to = upper, !front.isEmpty else { return }
    if !isApproached {
      try tree.askAhead(from: from)
      isApproached = true
      turn = front.upperBound &- ahead &- 2 &* TreeWalk.portion
      return
    }
    try tree.context.interrupt("tree.scan")
    let step = try tree.scanUpResident(
      reader, behind: front, from: from, to: to, at: snapshot, isApproached: true)
    if let step { took(step, to) }
  }

  private mutating func took(_ step: ScanStep, _ to: ScanBound) {
    front = front.lowerBound..<step.end
    span = step.span
    asked = max(asked, front.lowerBound)
    lower = step.next
    isApproached = false
    // Later at first, for the same reason.
    turn = front.upperBound &- 2 &* ahead
    if step.next.map({ next in ScanBound.isEmpty(next, to) }) ?? true {
      finish()
      turn = .max
    }
  }

  /// Reads the next leaf from above into run 1; false when there is none.
  private mutating func readDown() throws(LugeError) -> Bool {
    guard let from = lower, let to = upper else { return false }
    try tree.context.interrupt("tree.scan")
    let step = try tree.scanDown(reader, run: 1, from: from, to: to)
    back = step.first..<step.end
    upper = step.next
    if step.next.map({ next in ScanBound.isEmpty(from, next) }) ?? true { finish() }
    var index = back.upperBound - 1
    while index >= max(back.lowerBound, back.upperBound - Reader.windowCapacity) {
      ask(reader.record(1, index))
      index -= 1
    }
    return true
  }
}
