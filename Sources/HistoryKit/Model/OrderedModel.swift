public import EngineKit

/// What every engine is compared with: ordered maps by name, in memory, plain enough to be
/// believed.
///
/// Invariants of a tree: `keys` is strictly ascending; `values[i]` belongs to `keys[i]`.
public struct OrderedModel: Sendable {
  public struct Tree: Sendable {
    public let name: TreeName
    public fileprivate(set) var keys: [Bytes] = []
    public fileprivate(set) var values: [Bytes] = []

    /// The place of the first key that is not below `key`.
    public func lowerBound(_ key: Bytes) -> Int {
      var low = 0
      var high = keys.count
      while low < high {
        let middle = (low &+ high) / 2
        if keys[middle].order(against: key) < 0 { low = middle + 1 } else { high = middle }
      }
      return low
    }

    public func value(_ key: Bytes) -> Bytes? {
      let place = lowerBound(key)
      return place < keys.count && keys[place].isSame(as: key) ? values[place] : nil
    }

    /// Sets or removes; returns the former value.
    mutating func set(_ value: Bytes?, _ key: Bytes) -> Bytes? {
      let place = lowerBound(key)
      if place < keys.count, keys[place].isSame(as: key) {
        let former = values[place]
        if let value {
          values[place] = value
        } else {
          keys.remove(at: place)
          values.remove(at: place)
        }
        return former
      }
      if let value {
        keys.insert(key, at: place)
        values.insert(value, at: place)
      }
      return nil
    }
  }

  /// In the order in which they were made.
  public private(set) var trees: [Tree] = []

  public init() {}

  public init(_ state: RecoveredState) {
    for tree in state.trees {
      for entry in tree.forward { _ = set(entry.value, for: entry.key, in: tree.name) }
    }
  }

  public func value(for key: Bytes, in tree: TreeName) -> Bytes? {
    let place = place(of: tree)
    return place < 0 ? nil : trees[place].value(key)
  }

  /// Sets or removes a key; returns its former value. Setting makes the tree where it is missing.
  public mutating func set(_ value: Bytes?, for key: Bytes, in tree: TreeName) -> Bytes? {
    var place = place(of: tree)
    if place < 0 {
      if value == nil { return nil }
      place = trees.count
      trees.append(Tree(name: tree))
    }
    return trees[place].set(value, key)
  }

  public func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) -> [Entry] {
    let place = place(of: tree)
    guard place >= 0, limit > 0 else { return [] }
    let low = range.lower.map { trees[place].lowerBound($0) } ?? 0
    let high = range.upper.map { trees[place].lowerBound($0) } ?? trees[place].keys.count
    var entries: [Entry] = []
    var next = direction == .forward ? low : high - 1
    let step = direction == .forward ? 1 : -1
    while next >= low, next < high, entries.count < limit {
      entries.append(Entry(trees[place].keys[next], trees[place].values[next]))
      next += step
    }
    return entries
  }

  public func count(in tree: TreeName) -> Int {
    let place = place(of: tree)
    return place < 0 ? 0 : trees[place].keys.count
  }

  /// Makes an empty tree where there is none.
  public mutating func makeTree(_ tree: TreeName) {
    if place(of: tree) < 0 { trees.append(Tree(name: tree)) }
  }

  /// False when there was no such tree.
  public mutating func drop(_ tree: TreeName) -> Bool {
    let place = place(of: tree)
    if place < 0 { return false }
    trees.remove(at: place)
    return true
  }

  /// Performs an operation and returns what an engine must answer; nil for an id, which only the
  /// engine can know.
  public mutating func apply(_ operation: Operation) -> Outcome? {
    switch operation {
    case .get(let key, let tree): return .value(value(for: key, in: tree))
    case .insert(let value, let key, let tree): return .value(set(value, for: key, in: tree))
    case .remove(let key, let tree): return .value(set(nil, for: key, in: tree))
    case .compareExchange(let key, let expected, let desired, let tree):
      let original = value(for: key, in: tree)
      let exchanged = original.isSame(as: expected)
      if exchanged { _ = set(desired, for: key, in: tree) }
      return .exchange(exchanged: exchanged, original: original)
    case .scan(let range, let direction, let limit, let tree):
      return .entries(scan(range, direction, limit: limit, in: tree))
    case .batch(let writes):
      for write in writes { _ = set(write.value, for: write.key, in: write.tree) }
      return .done
    case .flush, .checkpoint, .backgroundWork, .evict, .clean: return .done
    case .nextID: return nil
    case .count(let tree): return .number(count(in: tree))
    case .dropTree(let tree): return .flag(drop(tree))
    }
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
