internal import Platform

/// An entry that a cursor gives: copies.
struct TreeEntry: Equatable, Sendable {
  var key: [UInt8]
  var value: [UInt8]
}

/// Walks a range of a tree, as it was at one moment, from both ends: `moveNext` goes to the first
/// entry not yet met, `movePrevious` to the last, until they have met all.
///
/// Between calls it keeps its snapshot registered and holds the records of at most two leaves; no
/// pin, so a slow caller holds back these records and the versions of its snapshot, and nothing else.
///
/// Invariants:
/// - `lower` and `upper` bound what no run holds yet; what is left of the runs lies outside them,
///   run 0 below, run 1 above.
/// - `record` is 0, or names a record that a run holds and that the snapshot shows.
@safe struct TreeCursor: ~Copyable, Sendable {
  private let tree: BLinkTree
  private let reader: Reader
  /// What was committed below this LSN is seen.
  let snapshot: UInt64
  /// Nil when everything has been read into a run.
  private var lower: ScanBound?
  private var upper: ScanBound?
  /// Of the runs, what was not met yet.
  private var frontNext = 0
  private var frontEnd = 0
  private var backFirst = 0
  private var backEnd = 0
  private var left: Int
  /// Address of the entry that the cursor is at, or 0.
  private(set) var record: UInt64 = 0

  /// How many records ahead are asked for.
  private static let ahead = 8

  /// - Parameter shared: a snapshot that somebody keeps registered for as long as the cursor is;
  ///   nil: one of the cursor's own, of now.
  init(
    _ tree: BLinkTree, from lower: ScanBound = .unbounded, to upper: ScanBound = .unbounded,
    limit: Int = .max, at shared: UInt64? = nil
  ) {
    self.tree = tree
    if let shared {
      reader = tree.context.beginSnapshot(sharing: shared)
      snapshot = shared
    } else {
      (reader, snapshot) = tree.context.beginSnapshot()
    }
    self.lower = lower
    self.upper = upper
    left = max(0, limit)
    if ScanBound.isEmpty(lower, upper) { finish() }
  }

  /// The entries whose keys begin with `prefix`.
  init(_ tree: BLinkTree, prefix: [UInt8], limit: Int = .max) {
    self.init(
      tree, from: .inclusive(prefix), to: ScanBound.end(ofPrefix: prefix), limit: limit)
  }

  deinit { tree.context.endSnapshot(reader) }

  // MARK: Moving

  /// Goes to the next entry from below; false at the end.
  mutating func moveNext() throws(LugeError) -> Bool {
    record = 0
    if left == 0 { return false }
    while true {
      if frontNext == frontEnd {
        if try readUp() { continue }
        return try meetBack()
      }
      let index = frontNext
      frontNext = index &+ 1
      let ahead = index &+ TreeCursor.ahead
      if ahead < frontEnd { ask(reader.record(0, ahead)) }
      if try show(reader.record(0, index)) { return true }
    }
  }

  /// Goes to the next entry from above; false at the end.
  mutating func movePrevious() throws(LugeError) -> Bool {
    record = 0
    if left == 0 { return false }
    while true {
      if backFirst == backEnd {
        if try readDown() { continue }
        return try meetFront()
      }
      let index = backEnd &- 1
      backEnd = index
      let ahead = index &- TreeCursor.ahead
      if ahead >= backFirst { ask(reader.record(1, ahead)) }
      if try show(reader.record(1, index)) { return true }
    }
  }

  /// Nothing is left between the runs: goes on from below in the back run.
  private mutating func meetBack() throws(LugeError) -> Bool {
    while backFirst < backEnd {
      backFirst += 1
      if try show(reader.record(1, backFirst - 1)) { return true }
    }
    return false
  }

  /// Nothing is left between the runs: goes on from above in the front run.
  private mutating func meetFront() throws(LugeError) -> Bool {
    while frontNext < frontEnd {
      frontEnd -= 1
      if try show(reader.record(0, frontEnd)) { return true }
    }
    return false
  }

  /// Goes to what a held word stands for at the snapshot; false when that is nothing.
  @inline(__always)
  private mutating func show(_ place: WordRef) throws(LugeError) -> Bool {
    var address = place.loadRelaxed()
    let word = Record(address: address).version.load()
    if VersionWord.state(word) != VersionWord.committed || VersionWord.body(word) >= snapshot {
      probe("tree.scanLookedBeneath")
      address = try tree.lookBeneath(Record(address: address), place, at: snapshot)
      if address == 0 { return false }
    }
    if Record(address: address).isTombstone { return false }
    record = address
    left &-= 1
    return true
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
  @inline(never)
  private mutating func readUp() throws(LugeError) -> Bool {
    guard let from = lower, let to = upper else { return false }
    try tree.context.interrupt("tree.scan")
    let step = try tree.scanUp(reader, run: 0, from: from, to: to)
    (frontNext, frontEnd) = (step.first, step.end)
    lower = step.next
    if step.next.map({ next in ScanBound.isEmpty(next, to) }) ?? true { finish() }
    var index = frontNext
    while index < min(frontEnd, frontNext + TreeCursor.ahead) {
      ask(reader.record(0, index))
      index += 1
    }
    return true
  }

  /// Reads the next leaf from above into run 1; false when there is none.
  @inline(never)
  private mutating func readDown() throws(LugeError) -> Bool {
    guard let from = lower, let to = upper else { return false }
    try tree.context.interrupt("tree.scan")
    let step = try tree.scanDown(reader, run: 1, from: from, to: to)
    (backFirst, backEnd) = (step.first, step.end)
    upper = step.next
    if step.next.map({ next in ScanBound.isEmpty(from, next) }) ?? true { finish() }
    var index = backEnd - 1
    while index >= max(backFirst, backEnd - TreeCursor.ahead) {
      ask(reader.record(1, index))
      index -= 1
    }
    return true
  }

  // MARK: Copies

  /// The next entry from below; nil at the end.
  mutating func next() throws(LugeError) -> TreeEntry? {
    try moveNext() ? copy() : nil
  }

  /// The next entry from above; nil at the end.
  mutating func previous() throws(LugeError) -> TreeEntry? {
    try movePrevious() ? copy() : nil
  }

  private func copy() -> TreeEntry {
    let record = Record(address: record)
    return TreeEntry(key: record.key.copy(), value: record.value.copy())
  }
}
