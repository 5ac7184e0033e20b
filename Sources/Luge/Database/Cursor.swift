import Platform

/// Walks a range of a tree as it was when the cursor was made, from both ends: `moveNext()` goes to the first
/// entry not yet met, `movePrevious()` to the last, until they have met them all.
///
///     var cursor = tree.cursor(in: .prefix(user))
///     while try cursor.moveNext() { total += cursor.value.byteCount }
///
/// What others write meanwhile is not seen. `key` and `value` are lent, not copied, and stay as they are until
/// the cursor moves; `next()` and `previous()` copy. A cursor that is kept holds back the memory of the
/// versions replaced since it was made, so do not keep one longer than needed.
public struct Cursor: ~Copyable, Sendable {
  private var walk: TreeCursor

  init(tree: BLinkTree, range: KeyRange, at snapshot: UInt64? = nil) {
    let lower: ScanBound = range.lower.map { key in .inclusive(key) } ?? .unbounded
    let upper: ScanBound = range.upper.map { key in .exclusive(key) } ?? .unbounded
    walk = TreeCursor(tree, from: lower, to: upper, at: snapshot)
  }

  /// Goes to the next entry in ascending order; false when all are met. Throws `.treeNotFound`,
  /// `.closed`. O(1), and O(log n) once a leaf.
  public mutating func moveNext() throws(LugeError) -> Bool { try walk.moveNext() }

  /// Goes to the next entry in descending order; false when all are met. Throws `.treeNotFound`,
  /// `.closed`. O(1), and O(log n) once a leaf.
  public mutating func movePrevious() throws(LugeError) -> Bool { try walk.movePrevious() }

  /// The key of the entry that the cursor is at; empty when it is at none.
  public var key: RawSpan {
    @_lifetime(borrow self)
    get { view(walk.record == 0 ? .empty : Record(address: walk.record).key) }
  }

  /// The value of the entry that the cursor is at; empty when it is at none.
  public var value: RawSpan {
    @_lifetime(borrow self)
    get { view(walk.record == 0 ? .empty : Record(address: walk.record).value) }
  }

  /// The next entry in ascending order, copied; nil when all are met. Throws as `moveNext` does.
  public mutating func next() throws(LugeError) -> Entry? {
    try walk.next().map { entry in Entry(key: entry.key, value: entry.value) }
  }

  /// The next entry in descending order, copied; nil when all are met. Throws as `movePrevious` does.
  public mutating func previous() throws(LugeError) -> Entry? {
    try walk.previous().map { entry in Entry(key: entry.key, value: entry.value) }
  }

  /// Bytes of the record that the cursor is at.
  @_lifetime(borrow self)
  private func view(_ bytes: ByteView) -> RawSpan {
    // The cursor holds the record until it moves, which it cannot while the span is used.
    let span = unsafe RawSpan(_unsafeStart: bytes.base, byteCount: bytes.count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}
