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

  public init() {}

  /// Number of writes, replaced ones included.
  public var count: Int { writes.count }
  public var isEmpty: Bool { writes.isEmpty }

  public mutating func updateValue(_ value: [UInt8], forKey key: [UInt8], in tree: Tree) {
    writes.append(Write(tree: tree, key: key, value: value))
  }

  public mutating func removeValue(forKey key: [UInt8], in tree: Tree) {
    writes.append(Write(tree: tree, key: key, value: nil))
  }
}
