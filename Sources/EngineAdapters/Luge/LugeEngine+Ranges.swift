internal import EngineKit
import Luge

// Neighbours, pops, ranges, snapshots and cursors of Luge, as the contract sees them.

extension LugeEngine {
  func contains(_ key: Bytes, in name: TreeName) throws(EngineError) -> Bool {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try tree.contains(key) }
  }

  func update(
    _ key: Bytes, in name: TreeName, _ change: (Bytes?) -> Bytes?
  ) throws(EngineError) -> (old: Bytes?, new: Bytes?) {
    let tree = try tree(name)
    do {
      return try tree.update(forKey: key) { old in
        guard let old else { return change(nil) }
        return change(Self.copy(old))
      }
    } catch let error {
      // `update` rethrows what `change` throws, which is nothing.
      guard let error = error as? LugeError else { throw EngineError(.other, "\(error)") }
      throw EngineError(luge: error)
    }
  }

  func first(
    _ range: EngineKit.KeyRange, in name: TreeName
  ) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.first(in: Luge.KeyRange(range)) }
  }

  func last(
    _ range: EngineKit.KeyRange, in name: TreeName
  ) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.last(in: Luge.KeyRange(range)) }
  }

  func entry(before key: Bytes, in name: TreeName) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.entry(before: key) }
  }

  func entry(after key: Bytes, in name: TreeName) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.entry(after: key) }
  }

  func popFirst(
    _ range: EngineKit.KeyRange, in name: TreeName
  ) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.popFirst(in: Luge.KeyRange(range)) }
  }

  func popLast(
    _ range: EngineKit.KeyRange, in name: TreeName
  ) throws(EngineError) -> EngineKit.Entry? {
    try entry(name) { (tree) throws(LugeError) in try tree.popLast(in: Luge.KeyRange(range)) }
  }

  private func entry(
    _ name: TreeName, _ body: (Tree) throws(LugeError) -> Luge.Entry?
  ) throws(EngineError) -> EngineKit.Entry? {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try body(tree) }
      .map { EngineKit.Entry($0.key, $0.value) }
  }

  func removeAll(_ range: EngineKit.KeyRange, in name: TreeName) throws(EngineError) -> Int {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in
      try tree.removeAll(in: Luge.KeyRange(range))
    }
  }

  func load(_ entries: [EngineKit.Entry], into name: TreeName) throws(EngineError) {
    let tree = try tree(name)
    try translating { () throws(LugeError) in
      _ = try tree.load(entries.map { Luge.Entry(key: $0.key, value: $0.value) })
    }
  }

  func checksum(_ range: EngineKit.KeyRange, in name: TreeName) throws(EngineError) -> UInt64 {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try tree.checksum(in: Luge.KeyRange(range)) }
  }

  func stream(
    _ range: EngineKit.KeyRange, _ direction: Direction, in name: TreeName
  ) async throws(EngineError) -> [EngineKit.Entry] {
    var found: [EngineKit.Entry] = []
    var iterator = try tree(name)
      .stream(in: Luge.KeyRange(range), ascending: direction == .forward).makeAsyncIterator()
    do throws(LugeError) {
      while let entry = try await iterator.next() {
        found.append(EngineKit.Entry(entry.key, entry.value))
      }
    } catch { throw EngineError(luge: error) }
    return found
  }

  func snapshot() throws(EngineError) -> any EngineSnapshot {
    LugeSnapshot(try translating { () throws(LugeError) in try database.snapshot() }, self)
  }

  func cursor(
    _ range: EngineKit.KeyRange, in name: TreeName
  ) throws(EngineError) -> any EngineCursor {
    LugeCursor(try tree(name).cursor(in: Luge.KeyRange(range)))
  }
}

extension Luge.KeyRange {
  init(_ range: EngineKit.KeyRange) { self.init(lower: range.lower, upper: range.upper) }
}

private final class LugeSnapshot: EngineSnapshot {
  private let snapshot: Snapshot
  private let engine: LugeEngine

  init(_ snapshot: Snapshot, _ engine: LugeEngine) {
    self.snapshot = snapshot
    self.engine = engine
  }

  func get(_ key: Bytes, in name: TreeName) throws(EngineError) -> Bytes? {
    let tree = try engine.tree(name)
    return try translating { () throws(LugeError) in try snapshot.value(forKey: key, in: tree) }
  }

  func scan(
    _ range: EngineKit.KeyRange, _ direction: Direction, limit: Int, in name: TreeName
  ) throws(EngineError) -> [EngineKit.Entry] {
    let tree = try engine.tree(name)
    return try translating { () throws(LugeError) in
      var cursor = try snapshot.cursor(in: Luge.KeyRange(range), of: tree)
      return try cursor.collect(direction, limit: limit)
    }
  }
}

extension Cursor {
  /// The entries still to be met, at most `limit`, in the direction's order.
  mutating func collect(
    _ direction: Direction, limit: Int
  ) throws(LugeError) -> [EngineKit.Entry] {
    var entries: [EngineKit.Entry] = []
    entries.reserveCapacity(min(limit, 16))
    while entries.count < limit {
      let entry =
        switch direction {
        case .forward: try next()
        case .backward: try previous()
        }
      guard let entry else { break }
      entries.append(EngineKit.Entry(entry.key, entry.value))
    }
    return entries
  }
}
