internal import EngineKit

/// Passes every call to another engine. A deliberately wrong engine overrides what it gets wrong.
class ForwardingEngine: KeyValueEngine, @unchecked Sendable {
  // Unchecked: subclasses keep their state in a `Mutex`, and hold it across no call of `base`.
  let base: any KeyValueEngine

  init(_ base: any KeyValueEngine) { self.base = base }

  func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try base.get(key, in: tree)
  }
  func insert(_ value: Bytes, for key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try base.insert(value, for: key, in: tree)
  }
  func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try base.remove(key, in: tree)
  }
  func compareExchange(
    _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
  ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
    try base.compareExchange(key, expected: expected, desired: desired, in: tree)
  }
  func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    try base.scan(range, direction, limit: limit, in: tree)
  }
  func popFirst(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try base.popFirst(range, in: tree)
  }
  func popLast(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try base.popLast(range, in: tree)
  }
  func removeAll(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Int {
    try base.removeAll(range, in: tree)
  }
  func snapshot() throws(EngineError) -> any EngineSnapshot { try base.snapshot() }
  func cursor(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> any EngineCursor {
    try base.cursor(range, in: tree)
  }
  func apply(_ batch: [BatchWrite]) throws(EngineError) { try base.apply(batch) }
  func flush() throws(EngineError) { try base.flush() }
  func checkpoint() throws(EngineError) { try base.checkpoint() }
  func nextID() throws(EngineError) -> UInt64 { try base.nextID() }
  func count(in tree: TreeName) throws(EngineError) -> Int { try base.count(in: tree) }
  func dropTree(_ tree: TreeName) throws(EngineError) -> Bool { try base.dropTree(tree) }
  func treeNames() throws(EngineError) -> [TreeName] { try base.treeNames() }
  func checkInvariants() throws(EngineError) -> [String] { try base.checkInvariants() }
  func performBackgroundWork() throws(EngineError) { try base.performBackgroundWork() }
  func evict() throws(EngineError) { try base.evict() }
  func clean() throws(EngineError) { try base.clean() }
  func close() throws(EngineError) { try base.close() }
}
