public import EngineKit

/// The registers of all keys of all trees.
///
/// Invariant: slot `s` of a tree's index is the key's place in `registers`.
public struct RegisterMap: Sendable {
  public struct Tree: Sendable {
    public let name: TreeName
    public var index = KeyIndex()
  }

  public private(set) var trees: [Tree] = []
  public var registers: [Register] = []
  /// Drops that may still take place: a new key in their tree may be removed by them.
  private var openDrops: [(call: Int, tree: TreeName, at: Int)] = []

  public init() {}

  public init(_ state: RecoveredState) {
    for tree in state.trees {
      for entry in tree.forward {
        registers[slot(for: entry.key, in: tree.name)] = Register(entry.value)
      }
    }
  }

  /// The place of a tree in `trees`, or -1.
  public func place(of tree: TreeName) -> Int {
    var place = 0
    while place < trees.count {
      if trees[place].name == tree { return place }
      place += 1
    }
    return -1
  }

  /// The slot of a key, or -1 where it was never written.
  public func slot(of key: Bytes, in tree: TreeName) -> Int {
    let place = place(of: tree)
    return place < 0 ? -1 : trees[place].index.slot(of: key)
  }

  public mutating func slot(for key: Bytes, in tree: TreeName) -> Int {
    var place = place(of: tree)
    if place < 0 {
      place = trees.count
      trees.append(Tree(name: tree))
    }
    let fresh = registers.count
    let slot = trees[place].index.add(key, slot: fresh)
    if slot == fresh {
      var register = Register(nil)
      for drop in openDrops where drop.tree == tree {
        register.begin(call: drop.call, value: nil, at: drop.at)
      }
      registers.append(register)
    }
    return slot
  }

  public mutating func begin(_ value: Bytes?, for key: Bytes, in tree: TreeName, _ call: Call) {
    let slot = slot(for: key, in: tree)
    registers[slot].begin(call: call.number, value: value, at: call.invokedAt)
  }

  public mutating func beginDrop(of tree: TreeName, _ call: Call) {
    openDrops.append((call.number, tree, call.invokedAt))
    let place = place(of: tree)
    guard place >= 0 else { return }
    for slot in trees[place].index.slots {
      registers[slot].begin(call: call.number, value: nil, at: call.invokedAt)
    }
  }

  /// Ends or cancels a drop; a drop that failed with an unknown outcome stays open.
  public mutating func endDrop(
    of tree: TreeName, _ call: Call, took: Bool, at moment: Int, earliestActive: Int
  ) {
    openDrops.removeAll { $0.call == call.number }
    let place = place(of: tree)
    guard place >= 0 else { return }
    for slot in trees[place].index.slots {
      if took {
        registers[slot].end(call: call.number, at: moment, earliestActive: earliestActive)
      } else {
        registers[slot].cancel(call: call.number)
      }
    }
  }
}
