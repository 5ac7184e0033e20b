/// What a single-key write does to the present value.
enum WriteMode {
  /// Sets the value.
  case put(ByteView)
  /// Takes the value away.
  case remove
  /// Takes the value away; applied only if there is one.
  case take
  /// Sets the value to `desired` (nil: takes it away) if it is `expected` (nil: absent).
  case exchange(expected: ByteView?, desired: ByteView?)
}

/// What came of a single-key write.
struct WriteResult {
  /// False only for an exchange that found something else than it expected, or nothing to take.
  var applied: Bool
  /// The value found; nil when absent, or not asked for.
  var old: [UInt8]?
}

/// What a write does about the record that it found.
enum WriteDecision {
  /// Nothing is to be written.
  case leave(applied: Bool)
  /// A new record with this value; nil for a tombstone.
  case write(ByteView?)
}

extension WriteMode {
  /// Bytes of the value that may be written; nil for a removal.
  @inline(__always)
  var valueCount: Int? {
    switch self {
    case .put(let value): return value.count
    case .remove, .take: return nil
    case .exchange(_, let desired): return desired?.count
    }
  }

  /// Decides on the present value. What would change nothing is not written.
  @inline(__always)
  func decide(_ present: ByteView?) -> WriteDecision {
    switch self {
    case .put(let value):
      if let present, present == value { return .leave(applied: true) }
      return .write(value)
    case .remove:
      return present == nil ? .leave(applied: true) : .write(nil)
    case .take:
      return present == nil ? .leave(applied: false) : .write(nil)
    case .exchange(let expected, let desired):
      guard WriteMode.same(present, expected) else { return .leave(applied: false) }
      return WriteMode.same(present, desired) ? .leave(applied: true) : .write(desired)
    }
  }

  private static func same(_ left: ByteView?, _ right: ByteView?) -> Bool {
    guard let left else { return right == nil }
    guard let right else { return false }
    return left == right
  }
}
