/// Sizes of blocks. Small ones come in steps of 16 bytes, one class a step, and lie in slabs; large
/// ones are allocations of the system's.
enum SizeClass {
  /// Classes 1 up to this one lie in slabs; class c has blocks of 16 c bytes.
  static let last = 64
  static let step = 16

  /// The class of a block of `bytes` bytes, at least 1.
  @inline(__always)
  static func of(_ bytes: Int) -> Int { (max(bytes, 1) &+ 15) >> 4 }

  /// What a large block takes of the system's memory, about: its length and a header.
  @inline(__always)
  static func largeBytes(_ bytes: Int) -> Int { (bytes &+ 23) & ~15 }

  /// What a block of `bytes` bytes counts for in the account.
  @inline(__always)
  static func accounted(_ bytes: Int) -> Int {
    let kind = of(bytes)
    return kind <= last ? kind &* step : largeBytes(bytes)
  }

  /// Blocks that move between a thread and the shared stacks at a time.
  @inline(__always)
  static func batch(_ kind: Int) -> Int { max(8, min(128, 512 / kind)) }
}
