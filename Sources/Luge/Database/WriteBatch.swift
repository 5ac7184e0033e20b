/// Writes to one or several trees that take effect together: every reader and every crash sees all
/// of them or none. A later write for a key replaces an earlier one.
///
/// A batch is a value: building it touches nothing. Apply it with `Database.apply`.
public struct WriteBatch: Sendable {
  struct Write: Sendable {
    var tree: Tree
    var key: [UInt8]
    /// Nil removes.
    var value: [UInt8]?
  }

  var writes: [Write] = []

  /// A batch without writes.
  public init() {}

  /// Number of writes, replaced ones included.
  public var count: Int { writes.count }
  /// Whether there is no write.
  public var isEmpty: Bool { writes.isEmpty }

  /// Sets a value when the batch is applied. Limits are checked then.
  public mutating func updateValue(_ value: [UInt8], forKey key: [UInt8], in tree: Tree) {
    writes.append(Write(tree: tree, key: key, value: value))
  }

  /// Removes an entry when the batch is applied; harmless where there is none.
  public mutating func removeValue(forKey key: [UInt8], in tree: Tree) {
    writes.append(Write(tree: tree, key: key, value: nil))
  }
}
