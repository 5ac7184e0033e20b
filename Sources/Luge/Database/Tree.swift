import Platform

/// One ordered map of a database: a handle, cheap to copy, usable from any thread.
///
/// Keys and values are byte strings; keys are ordered as unsigned bytes, lexicographically. Both may
/// be empty. A key has at most 65,535 bytes, a value 64 MiB and a quarter of the memory budget. A value
/// of `Configuration.largeValueSize` or more lies apart, and each read of it reads its file.
///
/// Operations throw `.treeNotFound` once the tree was dropped, `.closed` once the database was closed, and
/// `.failed` for writes after a failed sync. A write that throws `.failed`, `.closed` or
/// `.treeNotFound` had no effect. Reads are lock-free; writes may wait for room in the log.
public struct Tree: Sendable {
  /// The name it was opened by; empty for the default tree.
  public let name: String
  let storage: BLinkTree
  let core: DatabaseCore

  /// How pages that are written from now on are compressed.
  public var compression: Compression { storage.compression }

  /// The most bytes of a key.
  public static let maximumKeyLength = 65_535

  /// A copy of the value. O(log n).
  public func value(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try storage.value(forKey: key)
  }

  /// O(log n).
  public func contains(_ key: [UInt8]) throws(LugeError) -> Bool {
    try storage.contains(key)
  }

  /// Sets the value; returns the former one. Writing an equal value writes nothing.
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

  /// The same from memory of any kind.
  public func discardValue(forKey key: RawSpan) throws(LugeError) {
    try core.check(keyCount: key.byteCount, valueCount: 0)
    try storage.discardValue(forKey: key)
  }

  /// Removes the entry; returns its value. Removing what is absent writes nothing.
  @discardableResult
  public func removeValue(forKey key: [UInt8]) throws(LugeError) -> [UInt8]? {
    try core.check(keyCount: key.count, valueCount: 0)
    return try storage.removeValue(forKey: key)
  }

  /// Sets the value to `desired` (nil: removes it) where it is `expected` (nil: there is none).
  /// Returns whether it did, and what was found.
  @discardableResult
  public func compareExchange(
    key: [UInt8], expected: [UInt8]?, desired: [UInt8]?
  ) throws(LugeError) -> (exchanged: Bool, original: [UInt8]?) {
    try core.check(keyCount: key.count, valueCount: desired?.count ?? 0)
    return try storage.compareExchange(key: key, expected: expected, desired: desired)
  }

  /// Number of entries. O(1). Exact where no write is under way; each that is may be missed, or counted
  /// before others see it.
  public func count() throws(LugeError) -> Int {
    try storage.checkOpen()
    // A removal may be counted before the insert that it undoes.
    return max(0, Int(bitPattern: UInt(storage.count)))
  }

  /// Whether there is no entry. O(1).
  public func isEmpty() throws(LugeError) -> Bool { try count() == 0 }

  /// A cursor before the first and after the last entry of a range: `next()` begins at its start,
  /// `previous()` at its end. It sees the range as it is now, whatever others write meanwhile.
  public func cursor(in range: KeyRange = .all) -> Cursor {
    Cursor(tree: storage, range: range)
  }
}
