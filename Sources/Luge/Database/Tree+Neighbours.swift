import Platform

// The entry at an end of a tree or of a range, or beside a key. Each read is of one moment, and throws and
// blocks as `Tree` says.

extension Tree {
  /// The least key and its value. O(log n).
  public func first() throws(LugeError) -> Entry? { try first(in: .all) }

  /// The greatest key and its value. O(log n).
  public func last() throws(LugeError) -> Entry? { try last(in: .all) }

  /// The entry with the least key of a range. O(log n).
  public func first(in range: KeyRange) throws(LugeError) -> Entry? {
    var cursor = cursor(in: range)
    return try cursor.next()
  }

  /// The entry with the greatest key of a range. O(log n).
  public func last(in range: KeyRange) throws(LugeError) -> Entry? {
    var cursor = cursor(in: range)
    return try cursor.previous()
  }

  /// The entry with the greatest key below `key`, whether or not `key` is there. O(log n).
  public func entry(before key: [UInt8]) throws(LugeError) -> Entry? { try last(in: .upTo(key)) }

  /// The entry with the least key above `key`, whether or not `key` is there. O(log n).
  public func entry(after key: [UInt8]) throws(LugeError) -> Entry? { try first(in: .after(key)) }

  /// Removes the entry with the least key of a range and returns it; nil where there is none. No two
  /// callers get the same entry, and it was the first at some moment of the call; an insert below it that
  /// comes between that moment and the removal does not stop it.
  public func popFirst(in range: KeyRange = .all) throws(LugeError) -> Entry? {
    while let entry = try first(in: range) {
      if try take(entry) { return entry }
    }
    return nil
  }

  /// Removes the entry with the greatest key of a range and returns it, as `popFirst` does.
  public func popLast(in range: KeyRange = .all) throws(LugeError) -> Entry? {
    while let entry = try last(in: range) {
      if try take(entry) { return entry }
    }
    return nil
  }

  /// Removes an entry if it is still as it was read.
  private func take(_ entry: Entry) throws(LugeError) -> Bool {
    try compareExchange(key: entry.key, expected: entry.value, desired: nil).exchanged
  }
}
