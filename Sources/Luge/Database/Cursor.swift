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
  private var walk: TreeWalk
  @usableFromInline var window: CursorWindow

  /// - Parameter keysOnly: `value` is not asked for; so values that lie apart need not be read.
  init(
    tree: BLinkTree, range: KeyRange, at snapshot: UInt64? = nil, keysOnly: Bool = false
  ) {
    let lower: ScanBound = range.lower.map { key in .inclusive(key) } ?? .unbounded
    let upper: ScanBound = range.upper.map { key in .exclusive(key) } ?? .unbounded
    walk = TreeWalk(tree, from: lower, to: upper, at: snapshot, keysOnly: keysOnly)
    window = CursorWindow(walk.reader)
  }

  /// Goes to the next entry in ascending order; false when all are met. Throws `.treeNotFound`,
  /// `.closed`. O(1), and O(log n) once a leaf.
  @inlinable @inline(__always)
  public mutating func moveNext() throws(LugeError) -> Bool {
    window.takeNext() ? true : try lookUp()
  }

  /// Goes to the next entry in descending order; false when all are met. Throws `.treeNotFound`,
  /// `.closed`. O(1), and O(log n) once a leaf.
  @inlinable @inline(__always)
  public mutating func movePrevious() throws(LugeError) -> Bool {
    window.takePrevious() ? true : try lookDown()
  }

  @usableFromInline
  mutating func lookUp() throws(LugeError) -> Bool { try walk.lookUp(&window) }

  @usableFromInline
  mutating func lookDown() throws(LugeError) -> Bool { try walk.lookDown(&window) }

  /// The key of the entry that the cursor is at; empty when it is at none.
  @inlinable
  public var key: RawSpan {
    @_lifetime(borrow self) @inline(__always)
    get {
      // The cursor holds the record until it moves, which it cannot while the span is used.
      let (base, count) = unsafe RecordView.key(window.record)
      return unsafe _overrideLifetime(
        RawSpan(_unsafeStart: base, byteCount: count), borrowing: self)
    }
  }

  /// The value of the entry that the cursor is at; empty when it is at none.
  @inlinable
  public var value: RawSpan {
    @_lifetime(borrow self) @inline(__always)
    get {
      // As for the key.
      let (base, count) = unsafe RecordView.value(window.record)
      return unsafe _overrideLifetime(
        RawSpan(_unsafeStart: base, byteCount: count), borrowing: self)
    }
  }

  /// The next entry in ascending order, copied; nil when all are met. Throws as `moveNext` does.
  public mutating func next() throws(LugeError) -> Entry? { try moveNext() ? copy() : nil }

  /// The next entry in descending order, copied; nil when all are met. Throws as `movePrevious` does.
  public mutating func previous() throws(LugeError) -> Entry? { try movePrevious() ? copy() : nil }

  private var record: Record {
    // As for the key.
    unsafe Record(UnsafeMutableRawPointer(mutating: window.record))
  }

  func copiedKey() -> [UInt8] { record.key.copy() }
  func copiedValue() -> [UInt8] { record.value.copy() }
  private func copy() -> Entry { Entry(key: copiedKey(), value: copiedValue()) }
}
