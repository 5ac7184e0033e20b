internal import Platform

/// An entry that a cursor gives: copies.
struct TreeEntry: Equatable, Sendable {
  var key: [UInt8]
  var value: [UInt8]
}

/// Walks a range of a tree, as it was at one moment, from both ends: `moveNext` goes to the first
/// entry not yet met, `movePrevious` to the last, until they have met all. For the layers below
/// `Cursor`.
struct TreeCursor: ~Copyable, Sendable {
  private var walk: TreeWalk
  private var window: CursorWindow

  /// - Parameter shared: a snapshot that somebody keeps registered for as long as the cursor is;
  ///   nil: one of the cursor's own, of now.
  init(
    _ tree: BLinkTree, from lower: ScanBound = .unbounded, to upper: ScanBound = .unbounded,
    at shared: UInt64? = nil
  ) {
    walk = TreeWalk(tree, from: lower, to: upper, at: shared)
    window = CursorWindow(walk.reader)
  }

  /// The entries whose keys begin with `prefix`.
  init(_ tree: BLinkTree, prefix: [UInt8]) {
    self.init(tree, from: .inclusive(prefix), to: ScanBound.end(ofPrefix: prefix))
  }

  /// Goes to the next entry from below; false at the end.
  mutating func moveNext() throws(LugeError) -> Bool {
    window.takeNext() ? true : try walk.lookUp(&window)
  }

  /// Goes to the next entry from above; false at the end.
  mutating func movePrevious() throws(LugeError) -> Bool {
    window.takePrevious() ? true : try walk.lookDown(&window)
  }

  /// The record of the entry that the cursor is at. It is at one.
  var record: Record { unsafe Record(UnsafeMutableRawPointer(mutating: window.record)) }

  /// The next entry from below; nil at the end.
  mutating func next() throws(LugeError) -> TreeEntry? {
    try moveNext() ? TreeEntry(key: record.key.copy(), value: record.value.copy()) : nil
  }

  /// The next entry from above; nil at the end.
  mutating func previous() throws(LugeError) -> TreeEntry? {
    try movePrevious() ? TreeEntry(key: record.key.copy(), value: record.value.copy()) : nil
  }
}
