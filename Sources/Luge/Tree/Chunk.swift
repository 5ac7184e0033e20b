internal import Platform

/// A chunk: the pages of one range of keys, from its low key to the next chunk's. Chunks are the
/// level between root and pages.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 word: see below
///      8    4 l, length of the low key
///     12    4 40
///     16    8 flags word: dirty
///     24   16 zero
///     40    l low key
/// ```
/// The *word* is the address of the branch over the chunk's pages; bit 0: frozen.
///
/// Invariants:
/// - The first page of the branch has the chunk's low key; all others' low keys are above it and
///   below the next chunk's.
/// - A frozen word never changes again. Whoever meets one while it wants to change the branch puts
///   two chunks in place of this one; readers go on as if it were not frozen.
/// - A chunk is dirty from its birth, and from any change of its branch.
///
/// Safe for the same reason as a leaf: pinned use of what epochs reclaim.
@safe struct Chunk: Equatable {
  let base: UnsafeMutableRawPointer

  static let frozen: UInt64 = 1
  static let addressMask: UInt64 = ~7
  static let dirty: UInt64 = 1
  static let lowOffset = 40

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Chunk, right: Chunk) -> Bool { unsafe left.base == right.base }

  @inline(__always) var word: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var flags: WordRef { unsafe WordRef(base, 16) }

  @inline(__always)
  static func branch(_ word: UInt64) -> Branch { Branch(address: word & addressMask) }

  var low: ByteView { unsafe IndexNode.low(base) }

  private var size: Int { (Chunk.lowOffset + low.count + 7) & ~7 }

  /// A chunk that nobody else knows yet.
  static func build(_ pin: Pin, low: ByteView, branch: Branch) -> Chunk {
    let base = unsafe pin.allocate((lowOffset + low.count + 7) & ~7)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: lowOffset)
    unsafe WordRef.initialize(base, 0, branch.address)
    unsafe WordRef.initialize(base, 16, dirty)
    unsafe IndexNode.setLow(base, low, at: lowOffset)
    return Chunk(address: UInt64(UInt(bitPattern: base)))
  }

  func retire(_ pin: Pin) { unsafe pin.retire(base, size) }

  /// Frees a chunk that was never published, or whose tree is gone. Its branch stays.
  func free(_ pin: Pin) { unsafe pin.free(base, size) }
}
