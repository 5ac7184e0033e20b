import Platform

/// All trees of a database as they were at one moment. Read-only; any number of threads may use it;
/// nothing that others write is seen. It never waits for a writer and is never aborted.
///
/// It costs each key that is written meanwhile at most one older version in memory, for as long as
/// it is kept.
public final class Snapshot: Sendable {
  private let core: DatabaseCore
  private let reader: Reader
  private let lsn: UInt64

  init(_ core: DatabaseCore) {
    self.core = core
    (reader, lsn) = core.context.beginSnapshot()
  }

  deinit { core.context.endSnapshot(reader) }

  /// The value that the key had. Throws `.invalidArgument` for a tree of another database,
  /// `.treeNotFound` for one that was dropped since.
  public func value(forKey key: [UInt8], in tree: Tree) throws(LugeError) -> [UInt8]? {
    try check(tree)
    // The array outlives the closure, and the tree keeps nothing of it.
    return try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try tree.storage.getSlowly(ByteView(key), at: lsn)
    }
  }

  /// Whether the key had a value. Throws as `value(forKey:in:)` does.
  public func contains(_ key: [UInt8], in tree: Tree) throws(LugeError) -> Bool {
    try check(tree)
    // Within the call: the tree keeps nothing of the key.
    return try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try tree.storage.contains(ByteView(key), at: lsn)
    }
  }

  /// The value that the key had, lent for as long as the view is kept. Throws as
  /// `value(forKey:in:)` does.
  public func view(forKey key: [UInt8], in tree: Tree) throws(LugeError) -> ValueView? {
    guard let found = try hold(key, tree) else { return nil }
    return ValueView(found)
  }

  /// A cursor over what a range held; it may outlive the snapshot. Throws `.invalidArgument` for a tree
  /// of another database.
  public func cursor(in range: KeyRange = .all, of tree: Tree) throws(LugeError) -> Cursor {
    try check(tree)
    return Cursor(tree: tree.storage, range: range, at: lsn)
  }

  private func hold(_ key: [UInt8], _ tree: Tree) throws(LugeError) -> RecordHold? {
    try check(tree)
    // The array outlives the closure, and the tree keeps nothing of it.
    return try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
      unsafe try tree.storage.hold(ByteView(key), at: lsn)
    }
  }

  private func check(_ tree: Tree) throws(LugeError) {
    if tree.core !== core {
      throw LugeError(.invalidArgument, "the tree \"\(tree.name)\" is another database's")
    }
  }
}

extension Database {
  /// All trees as they are now: what was acknowledged before the call is in it. O(1), waits for nothing. Throws
  /// `.closed`.
  public func snapshot() throws(LugeError) -> Snapshot {
    try core.checkOpen()
    return Snapshot(core)
  }
}
