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

  /// Whether two ranges hold the same bytes, compared eight at a time.
  static func equal(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    var index = 0
    while index + 8 <= count {
      let one = unsafe left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let two = unsafe right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if one != two { return false }
      index += 8
    }
    while index < count {
      let one = unsafe left.load(fromByteOffset: index, as: UInt8.self)
      let two = unsafe right.load(fromByteOffset: index, as: UInt8.self)
      if one != two { return false }
      index += 1
    }
    return true
  }
}
