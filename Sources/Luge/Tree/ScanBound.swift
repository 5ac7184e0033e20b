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
}

/// One step of a scan: what one leaf has, and where to go on. A nil bound: there is no more.
struct ScanStep: Sendable {
  var run: LeafRun
  var next: ScanBound?
}
