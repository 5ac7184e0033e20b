/// Writes to one or several trees that take effect together: every reader and every crash sees all
/// of them or none. A later write for a key replaces an earlier one.
///
/// A batch is a value: building it touches nothing, takes O(1) a write and never fails. Apply it with `Database.apply`.
public struct WriteBatch: Sendable {
  // Safe: each view of a caller's bytes is used within the closure that lends it, and the buffer
  // copies from it.

  /// The trees written to; the buffer numbers them by their place here.
  private(set) var trees: [Tree] = []
  private(set) var buffer = BatchBuffer()

  /// A batch without writes.
  public init() {}

  /// Number of writes, replaced ones included.
  public var count: Int { buffer.count }
  /// Whether there is no write.
  public var isEmpty: Bool { buffer.count == 0 }

  /// Sets a value when the batch is applied. Limits are checked then.
  public mutating func updateValue(_ value: [UInt8], forKey key: [UInt8], in tree: Tree) {
    // Every byte of a UInt8 is initialised, so its raw view is sound.
    unsafe updateValue(value.span.bytes, forKey: key.span.bytes, in: tree)
  }

  /// Sets a value when the batch is applied; key and value are copied now.
  public mutating func updateValue(_ value: RawSpan, forKey key: RawSpan, in tree: Tree) {
    let number = number(tree)
    // The spans outlive the closures; the buffer copies from them.
    unsafe key.withUnsafeBytes { key in
      unsafe value.withUnsafeBytes { value in
        unsafe buffer.append(
          tree: number, id: tree.storage.id, key: ByteView(key), value: ByteView(value))
      }
    }
  }

  /// Removes an entry when the batch is applied; harmless where there is none.
  public mutating func removeValue(forKey key: [UInt8], in tree: Tree) {
    // As above.
    unsafe removeValue(forKey: key.span.bytes, in: tree)
  }

  /// Removes an entry when the batch is applied; the key is copied now.
  public mutating func removeValue(forKey key: RawSpan, in tree: Tree) {
    let number = number(tree)
    // As above.
    unsafe key.withUnsafeBytes { key in
      unsafe buffer.append(tree: number, id: tree.storage.id, key: ByteView(key), value: nil)
    }
  }

  /// The tree's number in the buffer, which is this value's alone from here on.
  @inline(__always)
  private mutating func number(_ tree: Tree) -> Int {
    if !isKnownUniquelyReferenced(&buffer) { buffer = buffer.copy() }
    var index = 0
    while index < trees.count {
      if trees[index].storage === tree.storage { return index }
      index += 1
    }
    trees.append(tree)
    return index
  }
}
