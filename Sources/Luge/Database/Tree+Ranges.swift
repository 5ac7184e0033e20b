import Platform

// Whole ranges: read, removed, summed, filled.

extension Tree {
  /// The entries of a range at one moment, copied, in ascending order, at most `limit`. O(log n) and the entries.
  public func entries(
    in range: KeyRange = .all, limit: Int = .max
  ) throws(LugeError) -> [Entry] {
    var cursor = cursor(in: range)
    var entries: [Entry] = []
    while entries.count < limit, let entry = try cursor.next() { entries.append(entry) }
    return entries
  }

  /// The keys of a range at one moment, copied, in ascending order, at most `limit`. O(log n) and the keys.
  public func keys(
    in range: KeyRange = .all, limit: Int = .max
  ) throws(LugeError) -> [[UInt8]] {
    var cursor = Cursor(tree: storage, range: range, keysOnly: true)
    var keys: [[UInt8]] = []
    while keys.count < limit, try cursor.moveNext() { keys.append(cursor.copiedKey()) }
    return keys
  }

  /// The values of a range at one moment, copied, in ascending order of their keys.
  public func values(
    in range: KeyRange = .all, limit: Int = .max
  ) throws(LugeError) -> [[UInt8]] {
    var cursor = cursor(in: range)
    var values: [[UInt8]] = []
    while values.count < limit, try cursor.moveNext() { values.append(cursor.copiedValue()) }
    return values
  }

  /// Calls `body` with each entry of a range at one moment, lent for the length of the call, in
  /// ascending order, until it answers false. Copies nothing. Throws what `body` throws. The body may use the database.
  public func forEach(
    in range: KeyRange = .all, _ body: (_ key: RawSpan, _ value: RawSpan) throws -> Bool
  ) throws {
    var cursor = cursor(in: range)
    while try cursor.moveNext(), try body(cursor.key, cursor.value) {}
  }

  /// Removes the entries that a range holds at the moment of the call, one after another: readers may see some
  /// of them gone and others not, and what is written meanwhile is removed too if its key was there.
  /// Returns how many this call removed. Where it throws, those before are removed. O(n log n) for n entries
  /// of the range; each removal may wait as a write of one key does.
  @discardableResult
  public func removeAll(in range: KeyRange = .all) throws(LugeError) -> Int {
    var cursor = Cursor(tree: storage, range: range, keysOnly: true)
    var removed = 0
    while try cursor.moveNext() {
      let key = cursor.copiedKey()
      try core.check(keyCount: key.count, valueCount: 0)
      if try storage.takeAway(key) { removed += 1 }
    }
    return removed
  }

  /// A sum over the entries of a range at one moment: equal for equal contents, whatever they went through.
  /// The number of entries, modulo 2^32, in the high half; CRC-32C over each key's and value's length (8
  /// bytes, little-endian) and bytes in the low half. Reads everything: O(n), and blocks for what is not in memory.
  public func checksum(in range: KeyRange = .all) throws(LugeError) -> UInt64 {
    var cursor = cursor(in: range)
    var count: UInt64 = 0
    var sum: UInt32 = 0
    while try cursor.moveNext() {
      count &+= 1
      sum = Tree.sum(cursor.key, after: sum)
      sum = Tree.sum(cursor.value, after: sum)
    }
    return count << 32 | UInt64(sum)
  }

  private static func sum(_ bytes: RawSpan, after sum: UInt32) -> UInt32 {
    let length: [UInt64] = [UInt64(bytes.byteCount).littleEndian]
    // The span is used within the call.
    return crc32c(bytes, seed: crc32c(unsafe length.span.bytes, seed: sum))
  }

  /// Sets many values, in batches of some hundred: each batch takes effect at once, the whole does not. Fastest
  /// where keys ascend. A later value for a key replaces an earlier one. Returns how many entries it was
  /// given; where it throws, some batches before the failure are in effect.
  @discardableResult
  public func load(_ entries: some Sequence<Entry>) throws(LugeError) -> Int {
    var batch = WriteBatch()
    var bytes = 0
    var loaded = 0
    for entry in entries {
      let size = entry.key.count + entry.value.count + 32
      if !batch.isEmpty && (batch.count == 256 || bytes + size > core.maximumCommit / 4) {
        try core.apply(batch)
        batch = WriteBatch()
        bytes = 0
      }
      batch.updateValue(entry.value, forKey: entry.key, in: self)
      bytes += size
      loaded += 1
    }
    try core.apply(batch)
    return loaded
  }

  /// Sets the value to what `change` makes of the present one: nil for none, before and after. When another
  /// writer comes between, `change` is called again with what it left. Returns both values. Throws what `change`
  /// throws, and then nothing was written. O(log n) a try.
  @discardableResult
  public func update(
    forKey key: [UInt8], _ change: (RawSpan?) throws -> [UInt8]?
  ) throws -> (old: [UInt8]?, new: [UInt8]?) {
    while true {
      let view = try view(forKey: key)
      guard let view else {
        let new = try change(nil)
        if try compareExchange(key: key, expected: nil, desired: new).exchanged {
          return (nil, new)
        }
        continue
      }
      let new = try change(view.bytes)
      let old = view.copy()
      if try compareExchange(key: key, expected: old, desired: new).exchanged { return (old, new) }
    }
  }
}
