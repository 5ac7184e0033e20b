public import EngineKit
public import HistoryKit

/// What may be read from a database after something was done to its files.
public struct ExpectedContents: Sendable {
  /// The states that may be found, oldest first. All but the last lack some of the last commits.
  public var states: [OrderedModel]
  /// The largest id that was handed out.
  public var largestIdentifier: UInt64
  /// Keys that were never there, beside those of the states.
  public var absent: [(tree: TreeName, key: Bytes)]

  public init(
    states: [OrderedModel], largestIdentifier: UInt64, absent: [(tree: TreeName, key: Bytes)] = []
  ) {
    self.states = states
    self.largestIdentifier = largestIdentifier
    self.absent = absent
  }

  /// One key, and what each state has for it.
  struct Row: Sendable {
    var tree: TreeName
    var key: Bytes
    var values: [Bytes?]
  }

  /// One tree, and what each state has in it.
  struct Listing: Sendable {
    var tree: TreeName
    var forward: [[Entry]]
    var backward: [[Entry]]
  }

  func rows() -> [Row] {
    var rows: [Row] = []
    for tree in treeNames {
      var keys = OrderedModel()
      for state in states {
        for entry in state.scan(.all, .forward, limit: .max, in: tree) {
          _ = keys.set([], for: entry.key, in: tree)
        }
      }
      for absent in absent where absent.tree == tree {
        _ = keys.set([], for: absent.key, in: tree)
      }
      for entry in keys.scan(.all, .forward, limit: .max, in: tree) {
        rows.append(
          Row(
            tree: tree, key: entry.key,
            values: states.map { state in state.value(for: entry.key, in: tree) }))
      }
    }
    return rows
  }

  func listings() -> [Listing] {
    treeNames.map { tree in
      Listing(
        tree: tree,
        forward: states.map { state in state.scan(.all, .forward, limit: .max, in: tree) },
        backward: states.map { state in state.scan(.all, .backward, limit: .max, in: tree) })
    }
  }

  /// In ascending order, the default tree first.
  var treeNames: [TreeName] {
    var names = [TreeName.default]
    for tree in states[states.count - 1].trees where tree.name != .default {
      names.append(tree.name)
    }
    return names.sorted()
  }
}
