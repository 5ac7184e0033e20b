public import EngineKit

/// Every write since the last recovery whose fate a crash could still decide: what the checkers
/// of durability ask. The judge keeps it; `WriteLog+Compaction` bounds it.
///
/// Words. A write is *effective* when it certainly took place (its call returned success),
/// *uncertain* when its call has not returned or failed without saying that it was refused: such a
/// write may take place at any time after its invocation, or never. A write that was refused, or a compare-exchange
/// that did not exchange, is not here. A write is *durable* when it is effective and returned before the
/// invocation of a flush that returned success (with synchronous commits: when it is effective).
///
/// Invariants: `keys[s].writes` is ascending in invocation; one call writes a key once;
/// `operations[i].references` counts the writes that name operation `i`.
public final class WriteLog {
  public struct Write: Sendable {
    /// Its place in `operations`.
    public var operation: Int
    /// Nil removes.
    public var value: Bytes?
  }

  public struct OperationRecord: Sendable {
    public let call: Call
    /// The place of its return in the order of events; `.max` while uncertain.
    public var returned = Int.max
    /// The slots of the keys that it writes, each once.
    public var slots: [Int] = []
    var references = 0
    public var isEffective: Bool { returned != .max }
  }

  public struct KeyRecord: Sendable {
    public let tree: TreeName
    public let key: Bytes
    /// The value at the last recovery, or one that is durable since.
    public var base: Bytes?
    /// False when a durable write has replaced the base for certain.
    public var basePossible = true
    public var writes: [Write] = []
  }

  public internal(set) var operations: [OperationRecord] = []
  public internal(set) var keys: [KeyRecord] = []
  var trees: [(name: TreeName, index: KeyIndex)] = []
  /// Drops that are uncertain: a key that turns up in the tree meanwhile is written by them too.
  var openDrops: [Int] = []
  /// Operations whose call is under way.
  var pending: [Int] = []

  /// Effective writes that returned before this event are durable.
  public private(set) var durableBefore = 0
  /// The same without the last group of writes made durable: what a rotten tail cannot take.
  public private(set) var sureBefore = 0
  /// True when a write made since the last recovery was made durable.
  public private(set) var baseIsSure = false
  /// When the flush that set `durableBefore` returned.
  private var lastFlushReturned = 0
  /// The last invocation among the effective writes that have returned and are in the log for certain.
  private var lastWriteInvoked = -1
  /// Flushes under way, with `lastWriteInvoked` as it was when they were invoked.
  private var openFlushes: [(call: Call, lastWrite: Int)] = []
  var compactAt = 1024

  public init() {}

  // MARK: Reading

  /// The slot of a key that was ever written or recovered, or -1.
  public func slot(of key: Bytes, in tree: TreeName) -> Int {
    let place = place(of: tree)
    return place < 0 ? -1 : trees[place].index.slot(of: key)
  }

  /// What a recovery found, by slot, and the entries that no write can explain.
  public func resolve(_ state: RecoveredState) -> (found: [Bytes?], strangers: [(TreeName, Entry)])
  {
    var found = [Bytes?](repeating: nil, count: keys.count)
    var strangers: [(TreeName, Entry)] = []
    for tree in state.trees {
      let place = place(of: tree.name)
      for entry in tree.forward {
        let slot = place < 0 ? -1 : trees[place].index.slot(of: entry.key)
        if slot < 0 { strangers.append((tree.name, entry)) } else { found[slot] = entry.value }
      }
    }
    return (found, strangers)
  }

  // MARK: Following the history

  func invoked(_ call: Call) {
    switch call.operation {
    case .insert(let value, let key, let tree):
      begin(call)
      write(value, key, tree)
    case .remove(let key, let tree):
      begin(call)
      write(nil, key, tree)
    case .compareExchange(let key, _, let desired, let tree):
      begin(call)
      write(desired, key, tree)
    case .batch(let writes):
      begin(call)
      for one in writes { write(one.value, one.key, one.tree) }
    case .dropTree(let tree):
      begin(call)
      openDrops.append(operations.count - 1)
      let place = place(of: tree)
      guard place >= 0 else { return }
      for slot in trees[place].index.slots { append(nil, slot, operations.count - 1) }
    case .flush: openFlushes.append((call, lastWriteInvoked))
    default: break
    }
  }

  func returned(_ call: Call, _ outcome: Outcome, at sequence: Int) {
    if case .flush = call.operation {
      guard let place = openFlushes.firstIndex(where: { $0.call === call }) else { return }
      let lastWrite = openFlushes.remove(at: place).lastWrite
      if case .done = outcome { flushed(call.invokedAt, sequence, lastWrite: lastWrite) }
      return
    }
    guard let place = pending.lastIndex(where: { operations[$0].call === call }) else { return }
    let operation = pending.remove(at: place)
    var took = true
    switch outcome {
    case .failure(_, _, let refused):
      if !refused { return }
      took = false
    case .exchange(let exchanged, _): took = exchanged
    case .flag(let existed): took = existed
    default: break
    }
    openDrops.removeAll { $0 == operation }
    if took {
      operations[operation].returned = sequence
      if isLogged(operation, outcome) {
        lastWriteInvoked = max(lastWriteInvoked, call.invokedAt)
      }
      return
    }
    for slot in operations[operation].slots {
      keys[slot].writes.removeAll { $0.operation == operation }
    }
    operations[operation].slots = []
    operations[operation].references = 0
  }

  /// The database was closed in good order at `sequence`.
  func everythingIsDurable(at sequence: Int) {
    flushed(sequence, sequence, lastWrite: lastWriteInvoked)
  }

  /// `lastWrite`: the last invocation of a write that returned before `invoked`.
  private func flushed(_ invoked: Int, _ returned: Int, lastWrite: Int) {
    guard invoked > durableBefore else { return }
    // Only a write made after the former flush *returned* is certainly in a later group of the log.
    if lastWrite > lastFlushReturned {
      if baseIsSure { sureBefore = durableBefore }
      baseIsSure = true
    }
    durableBefore = invoked
    lastFlushReturned = returned
    if operations.count >= compactAt { compact() }
  }

  /// A recovery found `state`: from here on that is what was there and is durable.
  func rebase(on state: RecoveredState) {
    operations.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    trees.removeAll(keepingCapacity: true)
    openDrops.removeAll()
    openFlushes.removeAll()
    pending.removeAll()
    durableBefore = 0
    sureBefore = 0
    baseIsSure = false
    lastFlushReturned = 0
    lastWriteInvoked = -1
    compactAt = 1024
    for tree in state.trees {
      for entry in tree.forward { keys[slot(for: entry.key, tree.name)].base = entry.value }
    }
  }

  // MARK: Parts

  private func begin(_ call: Call) {
    pending.append(operations.count)
    operations.append(OperationRecord(call: call))
  }

  private func write(_ value: Bytes?, _ key: Bytes, _ tree: TreeName) {
    append(value, slot(for: key, tree), operations.count - 1)
  }

  private func append(_ value: Bytes?, _ slot: Int, _ operation: Int) {
    // A later entry of a batch replaces an earlier one.
    if let last = keys[slot].writes.last, last.operation == operation {
      keys[slot].writes[keys[slot].writes.count - 1].value = value
      return
    }
    keys[slot].writes.append(Write(operation: operation, value: value))
    operations[operation].slots.append(slot)
    operations[operation].references += 1
  }

  private func slot(for key: Bytes, _ tree: TreeName) -> Int {
    var place = place(of: tree)
    if place < 0 {
      place = trees.count
      trees.append((tree, KeyIndex()))
    }
    let fresh = keys.count
    let slot = trees[place].index.add(key, slot: fresh)
    if slot == fresh {
      keys.append(KeyRecord(tree: tree, key: key))
      for drop in openDrops {
        if case .dropTree(let dropped) = operations[drop].call.operation, dropped == tree {
          append(nil, slot, drop)
        }
      }
    }
    return slot
  }

  private func place(of tree: TreeName) -> Int {
    var place = 0
    while place < trees.count {
      if trees[place].name == tree { return place }
      place += 1
    }
    return -1
  }
}
