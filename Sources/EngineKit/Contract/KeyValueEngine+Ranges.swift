internal import Platform

// What an engine may leave to its simpler operations, and what it may not have at all.

extension KeyValueEngine {
  public func contains(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bool {
    try get(key, in: tree) != nil
  }

  public func update(
    _ key: Bytes, in tree: TreeName, _ change: (Bytes?) -> Bytes?
  ) throws(EngineError) -> (old: Bytes?, new: Bytes?) {
    var old = try get(key, in: tree)
    while true {
      let new = change(old)
      let result = try compareExchange(key, expected: old, desired: new, in: tree)
      if result.exchanged { return (old, new) }
      old = result.original
    }
  }

  public func first(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try scan(range, .forward, limit: 1, in: tree).first
  }

  public func last(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try scan(range, .backward, limit: 1, in: tree).first
  }

  public func entry(before key: Bytes, in tree: TreeName) throws(EngineError) -> Entry? {
    try last(KeyRange(upper: key), in: tree)
  }

  public func entry(after key: Bytes, in tree: TreeName) throws(EngineError) -> Entry? {
    // The least key above a key is that key and a zero byte.
    try first(KeyRange(lower: key + [0]), in: tree)
  }

  public func load(_ entries: [Entry], into tree: TreeName) throws(EngineError) {
    for entry in entries { _ = try insert(entry.value, for: entry.key, in: tree) }
  }

  public func checksum(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> UInt64 {
    var hash = Hash128()
    for entry in try scan(range, .forward, limit: .max, in: tree) {
      hash.combine(entry.key)
      hash.combine(entry.value)
    }
    return hash.low ^ hash.high
  }

  public func stream(
    _ range: KeyRange, _ direction: Direction, in tree: TreeName
  ) async throws(EngineError) -> [Entry] {
    try scan(range, direction, limit: .max, in: tree)
  }

  public func popFirst(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    throw EngineError(.unsupported, "popFirst", isRefused: true)
  }

  public func popLast(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    throw EngineError(.unsupported, "popLast", isRefused: true)
  }

  public func removeAll(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Int {
    throw EngineError(.unsupported, "removeAll", isRefused: true)
  }

  public func snapshot() throws(EngineError) -> any EngineSnapshot {
    throw EngineError(.unsupported, "snapshot", isRefused: true)
  }

  /// Reads everything at once.
  public func cursor(
    _ range: KeyRange, in tree: TreeName
  ) throws(EngineError) -> any EngineCursor {
    EntriesCursor(try scan(range, .forward, limit: .max, in: tree))
  }
}

/// Shows entries that were read before.
private final class EntriesCursor: EngineCursor {
  private let entries: [Entry]
  private var rest: Range<Int>

  init(_ entries: [Entry]) {
    self.entries = entries
    rest = entries.indices
  }

  func next() throws(EngineError) -> Entry? { rest.popFirst().map { entries[$0] } }
  func previous() throws(EngineError) -> Entry? { rest.popLast().map { entries[$0] } }
}
