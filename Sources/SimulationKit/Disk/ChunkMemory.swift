internal import CPlatform

/// A fixed piece of raw memory, zero at first. Raw, because bulk copies through it cost the same in
/// debug and release. Changed only by a holder that is its one owner (`FileContents` copies first).
///
/// Safe: the memory lives as long as this object; users stay within `byteCount`, or lend both ranges.
@safe
final class ChunkMemory {
  /// Valid for `byteCount` bytes as long as this object lives.
  let bytes: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
    unsafe ChunkMemory.clear(bytes, byteCount)
  }

  init(copying other: ChunkMemory) {
    byteCount = other.byteCount
    unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
    unsafe bytes.copyMemory(from: other.bytes, byteCount: byteCount)
  }

  deinit { unsafe bytes.deallocate() }

  /// A source of zeros to copy from: filling by elements is slow in debug builds.
  private nonisolated(unsafe) static let zeros: UnsafeRawPointer = {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: DiskGeometry.chunkSize, alignment: 16)
    unsafe memory.initializeMemory(
      as: UInt8.self, repeating: 0, count: DiskGeometry.chunkSize)
    return UnsafeRawPointer(memory)
  }()

  static func clear(_ target: UnsafeMutableRawPointer, _ count: Int) {
    var done = 0
    while done < count {
      let piece = min(count - done, DiskGeometry.chunkSize)
      unsafe (target + done).copyMemory(from: zeros, byteCount: piece)
      done += piece
    }
  }

  /// Whether two ranges hold the same bytes.
  static func equal(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    unsafe platform_compare(left, count, right, count) == 0
  }

  /// Whether a range, at most a chunk, holds zeros only.
  static func isZero(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
    unsafe equal(bytes, zeros, count)
  }

  /// The first and the last byte in which two ranges differ; nil when they do not. By bisection,
  /// because a loop over bytes is slow in debug builds.
  static func difference(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int
  ) -> (first: Int, last: Int)? {
    if unsafe equal(left, right, count) { return nil }
    // The longest equal prefix has between `low` and `high` bytes.
    var low = 0
    var high = count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if unsafe equal(left, right, middle) { low = middle } else { high = middle - 1 }
    }
    let first = low
    // The shortest end from which on all is equal begins between `low` and `high`.
    low = first + 1
    high = count
    while low < high {
      let middle = (low + high) / 2
      if unsafe equal(left + middle, right + middle, count - middle) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return (first, low - 1)
  }
}
