/// A range of keys, in unsigned lexicographic byte order. A range whose lower bound is not below
/// its upper bound is empty, never an error.
public struct KeyRange: Hashable, Sendable {
  /// Inclusive; nil: from the first key.
  public var lower: [UInt8]?
  /// Exclusive; nil: to the last key.
  public var upper: [UInt8]?

  /// Keys from `lower`, inclusive, to `upper`, exclusive; nil leaves that end open.
  public init(lower: [UInt8]? = nil, upper: [UInt8]? = nil) {
    self.lower = lower
    self.upper = upper
  }

  /// Every key.
  public static let all = KeyRange()

  /// `lower` and everything above it.
  public static func from(_ lower: [UInt8]) -> KeyRange { KeyRange(lower: lower) }
  /// Everything below `upper`.
  public static func upTo(_ upper: [UInt8]) -> KeyRange { KeyRange(upper: upper) }

  /// Everything above `key`, without it.
  public static func after(_ key: [UInt8]) -> KeyRange { KeyRange(lower: key + [0]) }

  /// From `lower` to `upper`, each of them included or not.
  public init(from lower: Bound, to upper: Bound) {
    // The least key above a key is that key and a zero byte.
    switch lower {
    case .open: self.lower = nil
    case .including(let key): self.lower = key
    case .excluding(let key): self.lower = key + [0]
    }
    switch upper {
    case .open: self.upper = nil
    case .including(let key): self.upper = key + [0]
    case .excluding(let key): self.upper = key
    }
  }

  /// One end of a range.
  public enum Bound: Hashable, Sendable {
    /// To the first or the last key.
    case open
    /// The key and what lies inside.
    case including([UInt8])
    /// Only what lies inside.
    case excluding([UInt8])
  }

  /// Up to `key` and with it: the least key above `key` is `key` and a zero byte.
  public static func through(_ key: [UInt8]) -> KeyRange { KeyRange(upper: key + [0]) }

  /// All keys that begin with `prefix`.
  public static func prefix(_ prefix: [UInt8]) -> KeyRange {
    // The least key above them all: drop bytes of 255 at the end and raise the last one left.
    var upper = prefix
    while let last = upper.popLast() {
      if last < 255 {
        upper.append(last + 1)
        return KeyRange(lower: prefix, upper: upper)
      }
    }
    return KeyRange(lower: prefix)
  }
}

/// A key and its value.
public struct Entry: Hashable, Sendable {
  /// At most `Tree.maximumKeyLength` bytes.
  public var key: [UInt8]
  /// May be empty, which differs from there being none.
  public var value: [UInt8]

  /// An entry of these bytes.
  public init(key: [UInt8], value: [UInt8]) {
    self.key = key
    self.value = value
  }
}
