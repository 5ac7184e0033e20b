/// Sizes of blocks. Small ones come in steps of 16 bytes up to 256, middle ones in four steps from each
/// power of two to the next up to 8 KiB, one class a step, and lie in slabs; large ones are allocations of
/// the system's.
///
/// Few classes: leaves of one database come in every size, and what one class has free no other can
/// take. With classes in steps of 16 up to 1 KiB, free blocks took two thirds of a small budget.
enum SizeClass {
  /// Classes 1 up to this one lie in slabs.
  static let last = 36
  /// Class c up to this one has blocks of 16 c bytes.
  private static let lastSmall = 16
  private static let smallBytes = 256
  private static let smallBits = 8

  /// The class of a block of `bytes` bytes, at least 1. Above `last`: a large one.
  @inline(__always)
  static func of(_ bytes: Int) -> Int {
    if bytes <= smallBytes { return (max(bytes, 1) &+ 15) >> 4 }
    let highest = Int.bitWidth &- 1 &- (bytes &- 1).leadingZeroBitCount
    let step = (bytes &- 1) >> (highest &- 2) & 3
    return lastSmall &+ 1 &+ (highest &- smallBits) << 2 &+ step
  }

  /// Bytes of the blocks of a class that lies in slabs.
  @inline(__always)
  static func size(_ kind: Int) -> Int {
    if kind <= lastSmall { return kind << 4 }
    let place = kind &- lastSmall &- 1
    return (5 &+ place & 3) << (smallBits &- 2 &+ place >> 2)
  }

  /// What a large block takes of the system's memory, about: its length and a header.
  @inline(__always)
  static func largeBytes(_ bytes: Int) -> Int { (bytes &+ 23) & ~15 }

  /// What a block of `bytes` bytes counts for in the account.
  @inline(__always)
  static func accounted(_ bytes: Int) -> Int {
    let kind = of(bytes)
    return kind <= last ? size(kind) : largeBytes(bytes)
  }

  /// Bytes of one class that a thread keeps free at most, where memory is not short: more than what one
  /// reclaim frees of records. From there on it gives half of them back.
  static let cachedBytes = 40 << 10
}
