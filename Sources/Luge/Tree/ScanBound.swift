/// Where a scan stands: everything on this side of a key has been seen.
enum ScanBound: Equatable, Sendable {
  /// Before all keys, or after all keys, as the direction has it.
  case unbounded
  case inclusive([UInt8])
  case exclusive([UInt8])

  var key: [UInt8]? {
    switch self {
    case .unbounded: return nil
    case .inclusive(let key), .exclusive(let key): return key
    }
  }

  var isExclusive: Bool {
    if case .exclusive = self { return true }
    return false
  }

  /// As a lower bound: whether `key` is within.
  func admitsAbove(_ key: ByteView) -> Bool {
    guard let start = self.key else { return true }
    let order = order(of: key, against: start)
    return order > 0 || (order == 0 && !isExclusive)
  }

  /// As an upper bound: whether `key` is within.
  func admitsBelow(_ key: ByteView) -> Bool {
    guard let end = self.key else { return true }
    let order = order(of: key, against: end)
    return order < 0 || (order == 0 && !isExclusive)
  }

  /// As an upper bound: whether `key` or one above it is within.
  func reachesAbove(_ key: ByteView) -> Bool {
    guard let end = self.key else { return true }
    let order = order(of: key, against: end)
    return order < 0 || (order == 0 && !isExclusive)
  }

  /// As a lower bound: whether a key below `key` is within.
  func reachesBelow(_ key: ByteView) -> Bool {
    guard let start = self.key else { return true }
    return order(of: key, against: start) > 0
  }

  /// Whether this is `key`, inclusive or not.
  func isAt(_ key: ByteView) -> Bool {
    guard let bound = self.key else { return false }
    return order(of: key, against: bound) == 0
  }

  /// As an upper bound: whether all keys below `key` are within.
  func isAbove(_ key: ByteView) -> Bool {
    guard let end = self.key else { return true }
    return order(of: key, against: end) <= 0
  }

  private func order(of key: ByteView, against bound: [UInt8]) -> Int {
    // The array outlives the closure.
    unsafe bound.withUnsafeBytes { ByteView.compare(key, unsafe ByteView($0)) }
  }

  /// True when no key can lie between the two.
  static func isEmpty(_ lower: ScanBound, _ upper: ScanBound) -> Bool {
    guard let start = lower.key, let end = upper.key else { return false }
    let order = compareKeys(start, end)
    if order != 0 { return order > 0 }
    return lower.isExclusive || upper.isExclusive
  }

  /// The bound above all keys with a prefix: the prefix with its last byte below 255 raised, and
  /// what follows cut off.
  static func end(ofPrefix prefix: [UInt8]) -> ScanBound {
    var end = prefix
    while let last = end.popLast() {
      if last < 255 { return .exclusive(end + [last + 1]) }
    }
    return .unbounded
  }
}
