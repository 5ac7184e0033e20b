public import EngineKit

/// One thing that happened, as checkers see it.
public enum HistoryEvent: Sendable {
  case invoked(Call)
  case returned(Call, Outcome)
  /// A fault met a call of the engine.
  case met(FaultClass)
  /// The process ended. Calls under way have an unknown outcome and never return.
  case crashed(CrashKind)
  /// An attempt to open the database succeeded (nil) or failed.
  case opened(EngineError?)
  /// The contents found after an opening.
  case recovered(RecoveredState)
  /// What `checkInvariants` found.
  case inspected([String])
  /// The database was closed in good order (nil) or the closing failed.
  case closed(EngineError?)
  /// The database was given up; the next opening makes a new, empty one.
  case abandoned
}

/// How a process ended.
public enum CrashKind: String, Sendable, Codable, CaseIterable {
  /// Memory is lost; everything handed to the file system is kept.
  case processKill
  /// Memory is lost, and of what was not synced the disk keeps what it likes.
  case powerLoss
}

/// The whole contents of a database after a recovery, scanned in both directions.
public struct RecoveredState: Equatable, Sendable {
  public struct Tree: Equatable, Sendable {
    public var name: TreeName
    /// As a full forward scan gave them.
    public var forward: [Entry]
    /// As a full backward scan gave them.
    public var backward: [Entry]

    public init(_ name: TreeName, forward: [Entry], backward: [Entry]) {
      self.name = name
      self.forward = forward
      self.backward = backward
    }
  }

  /// In any order of names. A tree that is not named is empty.
  public var trees: [Tree]

  public init(trees: [Tree]) { self.trees = trees }

  /// Reads everything that an engine holds.
  public init(of engine: any KeyValueEngine) throws(EngineError) {
    trees = []
    for name in try engine.treeNames() {
      let forward = try engine.scan(.all, .forward, limit: .max, in: name)
      let backward = try engine.scan(.all, .backward, limit: .max, in: name)
      trees.append(Tree(name, forward: forward, backward: backward))
    }
  }

  /// The entries of a tree in ascending order of keys; none where there is no such tree.
  public func entries(in name: TreeName) -> [Entry] {
    for tree in trees where tree.name == name { return tree.forward }
    return []
  }

  public var count: Int {
    var total = 0
    for tree in trees { total += tree.forward.count }
    return total
  }
}
