/// What chunks and pages have in common, so that one kind of branch leads to either: where the low
/// key is.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 word: what the node leads to at present
///      8    4 l, length of the low key
///     12    4 o, offset of the low key
///      o    l low key: no key of the node is below it, for ever
/// ```
enum IndexNode {
  static let keyOffset = 8

  @unsafe @inline(__always)
  static func low(_ base: UnsafeMutableRawPointer) -> ByteView {
    let key = unsafe base.load(fromByteOffset: keyOffset, as: UInt64.self)
    // Two integers of four bytes in one load, the first in the lower half.
    let (count, offset) = (Int(key & 0xFFFF_FFFF), Int(key >> 32))
    return unsafe ByteView(base + offset, count: count)
  }

  @inline(__always)
  static func low(address: UInt64) -> ByteView {
    unsafe low(UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped)
  }

  /// Before the node is published.
  @unsafe
  static func setLow(_ base: UnsafeMutableRawPointer, _ low: ByteView, at offset: Int) {
    let key = (UInt64(offset) << 32 | UInt64(low.count)).littleEndian
    unsafe base.storeBytes(of: key, toByteOffset: keyOffset, as: UInt64.self)
    unsafe (base + offset).copyMemory(from: low.base, byteCount: low.count)
  }
}
