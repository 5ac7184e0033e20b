internal import EngineKit
internal import HistoryKit

/// What one client knows of the keys that are its own, since it has written or read them in this life. An answer
/// that says otherwise is wrong: nobody else writes them.
///
/// Of a key that was neither written nor read nothing is known, so opening reads nothing: pages that a
/// recovery has not brought up to date yet are met as the operations meet them.
///
/// Trees whose names begin with `passing` may be dropped by anyone; nothing is known of them.
///
/// Invariant: of each tree in `trees` the keys are ascending, and each belongs to this client.
struct Knowledge {
  static let passing = "passing"

  private struct Tree {
    var name: TreeName
    var keys: [Bytes] = []
    /// Nil: the key is absent.
    var values: [Bytes?] = []
  }

  private let client: Int
  private var trees: [Tree] = []

  init(client: Int) { self.client = client }

  /// Takes in an answer; what is wrong about it, or nil.
  mutating func learn(_ operation: Operation, _ outcome: Outcome) -> String? {
    if case .failure = outcome {
      forget(operation)
      return nil
    }
    switch (operation, outcome) {
    case (.get(let key, let tree), .value(let found)):
      return check(found, key, tree, then: found)
    case (.insert(let value, let key, let tree), .value(let former)):
      return check(former, key, tree, then: value)
    case (.remove(let key, let tree), .value(let former)):
      return check(former, key, tree, then: nil)
    case (
      .compareExchange(let key, let expected, let desired, let tree),
      .exchange(let exchanged, let original)
    ):
      if exchanged != original.isSame(as: expected) {
        return "an exchange of \(name(key, tree)) says \(exchanged), and found "
          + Described.value(original)
      }
      return check(original, key, tree, then: exchanged ? desired : original)
    case (.batch(let writes), _):
      for write in writes { set(write.value, write.key, write.tree) }
      return nil
    case (.scan(let range, let direction, let limit, let tree), .entries(let entries)):
      return check(entries, range, direction, limit, tree)
    default: return nil
    }
  }

  // MARK: Single keys

  private mutating func check(
    _ found: Bytes?, _ key: Bytes, _ tree: TreeName, then value: Bytes?
  ) -> String? {
    defer { set(value, key, tree) }
    guard let known = known(key, tree), !known.isSame(as: found) else { return nil }
    return "\(name(key, tree)) should hold \(Described.value(known)), "
      + "and \(Described.value(found)) was found"
  }

  private func name(_ key: Bytes, _ tree: TreeName) -> String { Described.key(key, in: tree) }

  private func isOwn(_ key: Bytes, _ tree: TreeName) -> Bool {
    CrashClient.owner(of: key) == client && !tree.hasPrefix(Self.passing)
  }

  /// Nil: nothing is known.
  private func known(_ key: Bytes, _ tree: TreeName) -> Bytes?? {
    guard isOwn(key, tree), let place = trees.firstIndex(where: { $0.name == tree }) else {
      return nil
    }
    let at = lowerBound(key, trees[place].keys)
    guard at < trees[place].keys.count, trees[place].keys[at].isSame(as: key) else { return nil }
    return .some(trees[place].values[at])
  }

  private mutating func set(_ value: Bytes?, _ key: Bytes, _ tree: TreeName) {
    guard isOwn(key, tree) else { return }
    var place = trees.firstIndex { $0.name == tree } ?? -1
    if place < 0 {
      place = trees.count
      trees.append(Tree(name: tree))
    }
    let at = lowerBound(key, trees[place].keys)
    if at < trees[place].keys.count, trees[place].keys[at].isSame(as: key) {
      trees[place].values[at] = value
    } else {
      trees[place].keys.insert(key, at: at)
      trees[place].values.insert(value, at: at)
    }
  }

  /// Whether a write that failed took place is not known.
  private mutating func forget(_ operation: Operation) {
    switch operation {
    case .insert(_, let key, let tree), .remove(let key, let tree),
      .compareExchange(let key, _, _, let tree):
      forget(key, tree)
    case .batch(let writes): for write in writes { forget(write.key, write.tree) }
    default: break
    }
  }

  private mutating func forget(_ key: Bytes, _ tree: TreeName) {
    guard known(key, tree) != nil, let place = trees.firstIndex(where: { $0.name == tree }) else {
      return
    }
    let at = lowerBound(key, trees[place].keys)
    trees[place].keys.remove(at: at)
    trees[place].values.remove(at: at)
  }

  // MARK: Ranges

  private func check(
    _ entries: [Entry], _ range: KeyRange, _ direction: Direction, _ limit: Int, _ tree: TreeName
  ) -> String? {
    let isForward = direction == .forward
    var index = 0
    while index < entries.count {
      let key = entries[index].key
      if !range.contains(key) { return "a scan shows \(name(key, tree)), which is not asked for" }
      if index > 0 {
        let former = entries[index - 1].key
        if isForward ? !former.precedes(key) : !key.precedes(former) {
          return "a scan shows \(name(key, tree)) after \(name(former, tree))"
        }
      }
      if let known = known(key, tree), !known.isSame(as: entries[index].value) {
        return "a scan shows \(Described.bytes(entries[index].value)) at \(name(key, tree)), which "
          + "should hold \(Described.value(known))"
      }
      index += 1
    }
    if entries.count > limit { return "a scan shows \(entries.count) entries, not \(limit)" }
    return missing(entries, range, isForward, isWhole: entries.count < limit, tree)
  }

  /// A key that is known to be there and that a scan has left out.
  private func missing(
    _ entries: [Entry], _ range: KeyRange, _ isForward: Bool, isWhole: Bool, _ tree: TreeName
  ) -> String? {
    guard let place = trees.firstIndex(where: { $0.name == tree }) else { return nil }
    let shown = isForward ? entries : entries.reversed()
    var low = range.lower
    var high = range.upper
    if !isWhole {
      // It ended at its limit: nothing is said of what lies behind.
      if isForward { high = shown.last?.key } else { low = shown.first?.key }
    }
    var at = low.map { lowerBound($0, trees[place].keys) } ?? 0
    var next = 0
    while at < trees[place].keys.count {
      let key = trees[place].keys[at]
      if let high, !key.precedes(high) { break }
      if trees[place].values[at] != nil {
        while next < shown.count, shown[next].key.precedes(key) { next += 1 }
        if next == shown.count || !shown[next].key.isSame(as: key) {
          return "a scan leaves out \(name(key, tree))"
        }
      }
      at += 1
    }
    return nil
  }

  private func lowerBound(_ key: Bytes, _ keys: [Bytes]) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].precedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
