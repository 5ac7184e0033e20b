import Platform

/// One ordered map of a database: a handle, cheap to copy, usable from any thread.
///
/// Keys and values are byte strings; keys are ordered as unsigned bytes, lexicographically. Both may
/// be empty. A key has at most 65,535 bytes; an entry must fit into a commit (`Configuration.logBufferSize`).
///
/// An operation on one key takes O(log n) unless it says otherwise. Reads are lock-free; where the page is not in
/// memory, an operation blocks for one read from disk, more where the index is not there either, and throws
/// `.inputOutput` or `.corruption` when that fails. Writes may wait for room in the log, and for memory above the budget.
///
/// All throw `.treeNotFound` once the tree was dropped and `.closed` once the database was closed. Writes throw
/// besides: `.tooLarge`, at once; `.failed` after a failed sync; `.noSpace` and `.inputOutput` where the log cannot be
/// written; `.resourceExhausted` where memory is used up by what cannot be evicted. A write of one key
/// or of one batch that throws had no effect.
public struct Tree: Sendable {
  /// The name it was opened by; empty for the default tree.
  public let name: String
  let storage: BLinkTree
  let core: DatabaseCore

  /// How pages that are written from now on are compressed.
  public var compression: Compression { storage.compression }

  /// The most bytes of a key.
  public static let maximumKeyLength = 65_535

  /// A copy of the value; nil where there is none. O(log n).
  public func value(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try storage.value(forKey: key)
  }

  /// Whether the key has a value, which may be an empty one. O(log n).
  public func contains(_ key: [UInt8]) throws(LugeError) -> Bool {
    try storage.contains(key)
  }

  /// Sets the value; returns the former one, nil where there was none. Writing an equal value writes
  /// nothing. O(log n).
  @discardableResult
  public func updateValue(
    _ value: [UInt8], forKey key: [UInt8]
  ) throws(LugeError) -> [UInt8]? {
    try core.check(keyCount: key.count, valueCount: value.count)
    return try storage.updateValue(value, forKey: key)
  }

  /// Sets the value, whatever there was: what `updateValue` does without copying the former value.
  /// Writing an equal value writes nothing. O(log n).
  public func setValue(_ value: [UInt8], forKey key: [UInt8]) throws(LugeError) {
    try core.check(keyCount: key.count, valueCount: value.count)
    try storage.setValue(value, forKey: key)
  }

  /// The same from memory of any kind; key and value are copied before the call returns.
  public func setValue(_ value: RawSpan, forKey key: RawSpan) throws(LugeError) {
    try core.check(keyCount: key.byteCount, valueCount: value.byteCount)
    try storage.setValue(value, forKey: key)
  }

  /// Removes the entry, if there is one: what `removeValue` does without copying the value. O(log n).
  public func discardValue(forKey key: [UInt8]) throws(LugeError) {
    try core.check(keyCount: key.count, valueCount: 0)
    try storage.discardValue(forKey: key)
  }

  /// The same from memory of any kind; the key is used within the call only.
  public func discardValue(forKey key: RawSpan) throws(LugeError) {
    try core.check(keyCount: key.byteCount, valueCount: 0)
    try storage.discardValue(forKey: key)
  }

  /// Removes the entry; returns its value, nil where there was none. Removing what is absent writes nothing.
  /// O(log n).
  @discardableResult
  public func removeValue(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try core.check(keyCount: key.count, valueCount: 0)
    return try storage.removeValue(forKey: key)
  }

  /// Sets the value to `desired` (nil: removes it) where it is `expected` (nil: there is none).
  /// Returns whether it did, and what was found. Neither an exchange that does not take place nor one that would change
  /// nothing writes anything. O(log n).
  @discardableResult
  public func compareExchange(
    key: [UInt8], expected: [UInt8]?, desired: [UInt8]?
  ) throws(LugeError) -> (exchanged: Bool, original: [UInt8]?) {
    try core.check(keyCount: key.count, valueCount: desired?.count ?? 0)
    return try storage.compareExchange(key: key, expected: expected, desired: desired)
  }

  /// Number of entries. O(1), but for pages that were not in memory when `setValue` or a batch wrote to
  /// them: those are read, once. Exact where no write is under way; each that is may be missed, or counted
  /// before others see it. The first call after a crash, unless a checkpoint came before, reads every page
  /// that changed since the last checkpoint before it.
  public func count() throws(LugeError) -> Int {
    try storage.checkOpen()
    try storage.replayPending()
    try storage.makeCountExact()
    // A removal may be counted before the insert that it undoes.
    return max(0, Int(bitPattern: UInt(storage.count)))
  }

  /// Whether there is no entry: as `count`.
  public func isEmpty() throws(LugeError) -> Bool { try count() == 0 }

  /// A cursor before the first and after the last entry of a range: `next()` begins at its start,
  /// `previous()` at its end. It sees the range as it is now, whatever others write meanwhile. O(1); reads nothing yet.
  public func cursor(in range: KeyRange = .all) -> Cursor {
    Cursor(tree: storage, range: range)
  }
}
