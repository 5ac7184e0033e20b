/// An entry that a cursor gives: copies.
struct TreeEntry: Equatable, Sendable {
  var key: [UInt8]
  var value: [UInt8]
}

/// Walks a range of a tree from both ends: `next` takes the first entry not yet taken, `previous`
/// the last, until they meet.
///
/// Ordered, and each key that is there throughout is met once. Entries come leaf by leaf, so writes
/// made meanwhile may or may not be seen. Between calls a cursor keeps keys and copies, no pin.
///
/// Invariants: `lower` and `upper` bound what no run holds yet; what is left of the runs lies
/// outside them, the front run below, the back run above.
struct TreeCursor: Sendable {
  private let tree: BLinkTree
  private let withValues: Bool
  /// Nil when everything from below has been read into a run.
  private var lower: ScanBound?
  private var upper: ScanBound?
  private var front = LeafRun()
  private var frontNext = 0
  private var frontEnd = 0
  private var back = LeafRun()
  /// Entries of the back run not yet taken: those from `backFirst` to before `backEnd`.
  private var backFirst = 0
  private var backEnd = 0
  private var left: Int
  /// A first guess at how many entries one reading should bring.
  private var portion = 16

  init(
    _ tree: BLinkTree, from lower: ScanBound = .unbounded, to upper: ScanBound = .unbounded,
    limit: Int = .max, withValues: Bool = true
  ) {
    self.tree = tree
    self.withValues = withValues
    self.lower = lower
    self.upper = upper
    left = max(0, limit)
    if TreeCursor.isEmpty(lower, upper) { finish() }
  }

  /// The entries whose keys begin with `prefix`.
  init(_ tree: BLinkTree, prefix: [UInt8], limit: Int = .max, withValues: Bool = true) {
    self.init(
      tree, from: .inclusive(prefix), to: TreeCursor.end(ofPrefix: prefix), limit: limit,
      withValues: withValues)
  }

  /// The bound above all keys with a prefix: the prefix with its last byte below 255 raised, and
  /// what follows cut off.
  static func end(ofPrefix prefix: [UInt8]) -> ScanBound {
    var end = prefix
    while let last = end.last {
      end.removeLast()
      if last < 255 {
        end.append(last + 1)
        return .exclusive(end)
      }
    }
    return .unbounded
  }

  /// The next entry from below; nil at the end.
  mutating func next() throws(LugeError) -> TreeEntry? {
    if left == 0 { return nil }
    while frontNext == frontEnd {
      if lower == nil || upper == nil { break }
      try readUp()
    }
    if frontNext < frontEnd {
      left -= 1
      frontNext += 1
      return entry(front, frontNext - 1)
    }
    guard backFirst < backEnd else { return nil }
    left -= 1
    backFirst += 1
    return entry(back, backFirst - 1)
  }

  /// The next entry from above; nil at the end.
  mutating func previous() throws(LugeError) -> TreeEntry? {
    if left == 0 { return nil }
    while backFirst == backEnd {
      if lower == nil || upper == nil { break }
      try readDown()
    }
    if backFirst < backEnd {
      left -= 1
      backEnd -= 1
      return entry(back, backEnd)
    }
    guard frontNext < frontEnd else { return nil }
    left -= 1
    frontEnd -= 1
    return entry(front, frontEnd)
  }

  private func entry(_ run: LeafRun, _ index: Int) -> TreeEntry {
    TreeEntry(key: run.key(index), value: run.value(index))
  }

  private mutating func finish() {
    lower = nil
    upper = nil
  }

  private mutating func readUp() throws(LugeError) {
    guard let from = lower, let to = upper else { return }
    let step = try tree.scanUp(from: from, limit: min(left, portion), withValues: withValues)
    portion = min(portion * 2, 1 << 12)
    front = step.run
    frontNext = 0
    frontEnd = step.run.count
    while frontEnd > 0 && !TreeCursor.isBelow(front.key(frontEnd - 1), to) { frontEnd -= 1 }
    lower = step.next
    guard let next = lower, !TreeCursor.isEmpty(next, to) else { return finish() }
  }

  private mutating func readDown() throws(LugeError) {
    guard let from = lower, let to = upper else { return }
    let step = try tree.scanDown(from: to, limit: min(left, portion), withValues: withValues)
    portion = min(portion * 2, 1 << 12)
    back = step.run
    backFirst = 0
    backEnd = step.run.count
    while backFirst < backEnd && !TreeCursor.isAbove(back.key(backFirst), from) { backFirst += 1 }
    upper = step.next
    guard let next = upper, !TreeCursor.isEmpty(from, next) else { return finish() }
  }

  private static func isBelow(_ key: [UInt8], _ upper: ScanBound) -> Bool {
    switch upper {
    case .unbounded: return true
    case .inclusive(let end): return compare(key, end) <= 0
    case .exclusive(let end): return compare(key, end) < 0
    }
  }

  private static func isAbove(_ key: [UInt8], _ lower: ScanBound) -> Bool {
    switch lower {
    case .unbounded: return true
    case .inclusive(let start): return compare(key, start) >= 0
    case .exclusive(let start): return compare(key, start) > 0
    }
  }

  /// True when no key can lie between the two.
  private static func isEmpty(_ lower: ScanBound, _ upper: ScanBound) -> Bool {
    guard let start = lower.key, let end = upper.key else { return false }
    let order = compare(start, end)
    if order != 0 { return order > 0 }
    return lower.isExclusive || upper.isExclusive
  }

  private static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
    compareKeys(left, right)
  }
}
