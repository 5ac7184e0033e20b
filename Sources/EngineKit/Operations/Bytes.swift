/// A key or a value.
public typealias Bytes = [UInt8]

/// A tree's name. The default tree is the one with the empty name.
public typealias TreeName = String
extension TreeName {
  public static var `default`: TreeName { "" }
}

public struct Entry: Hashable, Sendable {
  public var key: Bytes
  public var value: Bytes
  public init(_ key: Bytes, _ value: Bytes) {
    self.key = key
    self.value = value
  }
}

public enum Direction: String, Sendable, Codable { case forward, backward }

/// Keys from `lower` (inclusive; nil: from the start) to `upper` (exclusive; nil: to the end). An inverted range is empty.
public struct KeyRange: Hashable, Sendable {
  public var lower: Bytes?
  public var upper: Bytes?
  public init(lower: Bytes? = nil, upper: Bytes? = nil) {
    self.lower = lower
    self.upper = upper
  }
  public static let all = KeyRange()

  /// All keys that begin with `prefix`.
  public static func prefix(_ prefix: Bytes) -> KeyRange {
    // The least key above all of them: the prefix with its last byte below 255 raised.
    var upper = prefix
    while let last = upper.last {
      if last < 255 {
        upper[upper.count - 1] = last + 1
        return KeyRange(lower: prefix, upper: upper)
      }
      upper.removeLast()
    }
    return KeyRange(lower: prefix)
  }

  public func contains(_ key: Bytes) -> Bool {
    if let lower, key.precedes(lower) { return false }
    if let upper, !key.precedes(upper) { return false }
    return true
  }
}

extension [UInt8] {
  /// The order of keys: unsigned bytes, lexicographically, a prefix before what it begins.
  public func precedes(_ other: [UInt8]) -> Bool {
    let shared = Swift.min(count, other.count)
    var index = 0
    while index < shared {
      let left = self[index]
      let right = other[index]
      if left != right { return left < right }
      index += 1
    }
    return count < other.count
  }
}
