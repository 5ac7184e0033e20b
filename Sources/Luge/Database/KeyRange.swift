/// A range of keys, in unsigned lexicographic byte order. A range whose lower bound is not below
/// its upper bound is empty, never an error.
public struct KeyRange: Hashable, Sendable {
  /// Inclusive; nil: from the first key.
  public var lower: [UInt8]?
  /// Exclusive; nil: to the last key.
  public var upper: [UInt8]?

  public init(lower: [UInt8]? = nil, upper: [UInt8]? = nil) {
    self.lower = lower
    self.upper = upper
  }

  public static let all = KeyRange()

  public static func from(_ lower: [UInt8]) -> KeyRange { KeyRange(lower: lower) }
  public static func upTo(_ upper: [UInt8]) -> KeyRange { KeyRange(upper: upper) }

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
  public var key: [UInt8]
  public var value: [UInt8]
  public init(key: [UInt8], value: [UInt8]) {
    self.key = key
    self.value = value
  }
}
