internal import CPlatform

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
  /// Negative, zero or positive as `self` comes before, equals or comes after `other` in the order
  /// of keys: unsigned bytes, lexicographically, a prefix before what it begins.
  public func order(against other: [UInt8]) -> Int {
    let left = count
    let right = other.count
    // Both arrays hold at least as many bytes as are compared.
    let common = unsafe platform_compare_bytes(self, other, left < right ? left : right)
    return common != 0 ? Int(common) : left - right
  }

  /// The order of keys: unsigned bytes, lexicographically, a prefix before what it begins.
  public func precedes(_ other: [UInt8]) -> Bool { order(against: other) < 0 }

  /// The same bytes. Faster than `==` in an unoptimised build.
  public func isSame(as other: [UInt8]) -> Bool {
    count == other.count && order(against: other) == 0
  }
}

extension [UInt8]? {
  /// Both absent, or the same bytes.
  public func isSame(as other: [UInt8]?) -> Bool {
    guard let self else { return other == nil }
    guard let other else { return false }
    return self.isSame(as: other)
  }
}
