/// Sizes of blocks. Small ones come in steps of 16 bytes up to 1 KiB, middle ones in steps of 256 up
/// to 8 KiB, one class a step, and lie in slabs; large ones are allocations of the system's.
enum SizeClass {
  /// Classes 1 up to this one lie in slabs.
  static let last = 92
  /// Class c up to this one has blocks of 16 c bytes, the next one of 256 more, and so on.
  static let lastSmall = 64
  private static let smallBytes = 1024

  /// The class of a block of `bytes` bytes, at least 1. Above `last`: a large one.
  @inline(__always)
  static func of(_ bytes: Int) -> Int {
    if bytes <= smallBytes { return (max(bytes, 1) &+ 15) >> 4 }
    return lastSmall &+ (bytes &- smallBytes &+ 255) >> 8
  }

  /// Bytes of the blocks of a class that lies in slabs.
  @inline(__always)
  static func size(_ kind: Int) -> Int {
    kind <= lastSmall ? kind << 4 : smallBytes &+ (kind &- lastSmall) << 8
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

  /// Bytes of one class that a thread keeps free; from there on it gives a batch away.
  static let cachedBytes: UInt64 = 16 << 10

  /// Blocks that move between a thread and the shared stacks at a time.
  @inline(__always)
  static func batch(_ kind: Int) -> Int { max(2, min(128, 8192 / size(kind))) }
}
