/// What a single-key write does to the present value. Each kind has its own copy of the path that all
/// writes take, compiled for it.
protocol KeyWrite {
  /// Whether a copy of what was found is asked for.
  static var wantsFormer: Bool { get }

  /// Whether nothing hangs on what is there: it need not be known.
  static var isBlind: Bool { get }

  /// Bytes of the value that may be written; nil for a removal.
  var valueCount: Int? { get }

  /// Decides on the present value. What would change nothing is not written.
  func decide(_ present: ByteView?) -> WriteDecision
}

extension KeyWrite {
  static var isBlind: Bool { @inline(__always) get { false } }
}

/// What a write does about the record that it found.
enum WriteDecision {
  /// Nothing is to be written.
  case leave(applied: Bool)
  /// A new record with this value; nil for a tombstone.
  case write(ByteView?)
}

/// What came of a single-key write.
struct WriteResult {
  /// False only for an exchange that found something else than it expected.
  var applied: Bool
  /// The value found; nil when absent, or not asked for.
  var old: [UInt8]?
}

/// Sets the value, and asks for no former one.
struct PutWrite: KeyWrite {
  let value: ByteView

  static var wantsFormer: Bool { @inline(__always) get { false } }
  static var isBlind: Bool { @inline(__always) get { true } }

  var valueCount: Int? { @inline(__always) get { value.count } }

  @inline(__always)
  func decide(_ present: ByteView?) -> WriteDecision {
    if let present, present == value { return .leave(applied: true) }
    return .write(value)
  }
}

/// Takes the value away, and asks for no former one.
struct RemoveWrite: KeyWrite {
  static var wantsFormer: Bool { @inline(__always) get { false } }

  var valueCount: Int? { @inline(__always) get { nil } }

  @inline(__always)
  func decide(_ present: ByteView?) -> WriteDecision {
    present == nil ? .leave(applied: true) : .write(nil)
  }
}

/// Any write, with a copy of what was found.
enum WriteMode: KeyWrite {
  /// Sets the value.
  case put(ByteView)
  /// Takes the value away.
  case remove
  /// Sets the value to `desired` (nil: takes it away) if it is `expected` (nil: absent).
  case exchange(expected: ByteView?, desired: ByteView?)

  static var wantsFormer: Bool { true }

  var valueCount: Int? {
    switch self {
    case .put(let value): return value.count
    case .remove: return nil
    case .exchange(_, let desired): return desired?.count
    }
  }

  func decide(_ present: ByteView?) -> WriteDecision {
    switch self {
    case .put(let value): return PutWrite(value: value).decide(present)
    case .remove: return RemoveWrite().decide(present)
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
