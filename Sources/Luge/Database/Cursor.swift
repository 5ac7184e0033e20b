import Platform

/// Walks a range of a tree from both ends: `next()` takes the first entry not yet taken, `previous()`
/// the last, until they meet.
///
/// Entries come in order, and every key that is present throughout the walk is met once; keys that are
/// written meanwhile may be met or not. A cursor is a value and holds nothing of the database back.
public struct Cursor: Sendable {
  private var walk: TreeCursor

  init(tree: BLinkTree, range: KeyRange) {
    let lower: ScanBound = range.lower.map { key in .inclusive(key) } ?? .unbounded
    let upper: ScanBound = range.upper.map { key in .exclusive(key) } ?? .unbounded
    walk = TreeCursor(tree, from: lower, to: upper)
  }

  /// The next entry in ascending order; nil when all are taken. Throws `.treeNotFound`, `.closed`.
  public mutating func next() throws(LugeError) -> Entry? {
    guard let entry = try walk.next() else { return nil }
    return Entry(key: entry.key, value: entry.value)
  }

  /// The next entry in descending order; nil when all are taken. Throws `.treeNotFound`, `.closed`.
  public mutating func previous() throws(LugeError) -> Entry? {
    guard let entry = try walk.previous() else { return nil }
    return Entry(key: entry.key, value: entry.value)
  }
}
