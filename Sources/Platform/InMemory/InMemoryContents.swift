/// The bytes of one file in memory, with holes.
///
/// Invariants:
/// - `chunks` holds no chunk that begins at or after `size`, rounded up to whole chunks.
/// - Bytes of a chunk beyond `size` are zero, so that growing needs no clearing.
struct InMemoryContents {
  static let chunkSize = 16_384

  private(set) var size: Int64 = 0
  /// Chunk number -> its bytes. What is missing reads as zeros. Never listed in order.
  private var chunks: [Int64: [UInt8]] = [:]

  /// Bytes that memory is spent on.
  var allocatedSize: Int64 { Int64(chunks.count * Self.chunkSize) }

  /// Fills `buffer` from `offset`; returns the number of bytes, fewer only at the end of the file.
  func read(into buffer: inout MutableRawSpan, at offset: Int64) -> Int {
    guard offset < size else { return 0 }
    let count = Int(min(Int64(buffer.byteCount), size - offset))
    unsafe buffer.withUnsafeMutableBytes { target in
      var done = 0
      while done < count {
        let (number, start, length) = Self.piece(offset + Int64(done), count - done)
        // `done + length` is at most `count`, which is at most the buffer's length.
        let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: target[done..<done + length])
        if let chunk = chunks[number] {
          unsafe chunk.withUnsafeBytes {
            unsafe piece.copyMemory(from: .init(rebasing: $0[start..<start + length]))
          }
        } else {
          unsafe piece.initializeMemory(as: UInt8.self, repeating: 0)
        }
        done += length
      }
    }
    return count
  }

  mutating func write(_ bytes: RawSpan, at offset: Int64) {
    let count = bytes.byteCount
    var done = 0
    while done < count {
      let (number, start, length) = Self.piece(offset + Int64(done), count - done)
      let piece = bytes.extracting(done..<done + length)
      unsafe piece.withUnsafeBytes { source in
        unsafe chunks[number, default: Self.emptyChunk].withUnsafeMutableBytes {
          // A piece never leaves its chunk.
          unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start..<start + length])
            .copyMemory(from: source)
        }
      }
      done += length
    }
    size = max(size, offset + Int64(count))
  }

  mutating func truncate(to newSize: Int64) {
    if newSize < size {
      let (number, start, _) = Self.piece(newSize, 1)
      chunks = chunks.filter { $0.key < number || ($0.key == number && start > 0) }
      if chunks[number] != nil { clear(number, start, Self.chunkSize - start) }
    }
    size = newSize
  }

  mutating func allocate(offset: Int64, length: Int64) {
    var at = offset
    while at < offset + length {
      let number = at / Int64(Self.chunkSize)
      if chunks[number] == nil { chunks[number] = Self.emptyChunk }
      at = (number + 1) * Int64(Self.chunkSize)
    }
    size = max(size, offset + length)
  }

  mutating func punchHole(offset: Int64, length: Int64) {
    // Beyond the end there is nothing to give back.
    let end = min(offset + length, size)
    var at = offset
    while at < end {
      let (number, start, count) = Self.piece(at, Int(min(end - at, Int64(Self.chunkSize))))
      if count == Self.chunkSize {
        chunks[number] = nil
      } else if chunks[number] != nil {
        clear(number, start, count)
      }
      at += Int64(count)
    }
  }

  private mutating func clear(_ number: Int64, _ start: Int, _ count: Int) {
    chunks[number]?.replaceSubrange(
      start..<start + count, with: repeatElement(0, count: count))
  }

  /// The part of a range that lies in the chunk where it begins.
  private static func piece(
    _ offset: Int64, _ count: Int
  ) -> (number: Int64, start: Int, length: Int) {
    let number = offset / Int64(chunkSize)
    let start = Int(offset % Int64(chunkSize))
    return (number, start, min(count, chunkSize - start))
  }

  private static let emptyChunk = [UInt8](repeating: 0, count: chunkSize)
}
