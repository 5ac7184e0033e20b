/// The bytes of one simulated file as the page cache shows them, in chunks, with the blocks that
/// are allocated.
///
/// Invariants:
/// 1. A chunk without memory reads as zeros.
/// 2. A block with a byte that is not zero is allocated.
/// 3. `allocatedBlocks` is the number of bits set in all masks.
/// 4. Bytes at and beyond the file's length are zero (kept by the callers that know the length).
///
/// A value: copies share chunks, and a shared chunk is copied before it is changed.
///
/// Safe: callers lend `count` bytes for the call; each copy is cut at the end of its chunk.
struct FileContents {
  private struct Chunk {
    var memory: ChunkMemory?
    /// Bit n: block n of this chunk is allocated.
    var mask: UInt8 = 0
  }

  private var chunks: [Chunk] = []
  private(set) var allocatedBlocks = 0

  /// Copies `count` bytes at `offset` to `target`; zeros where nothing was ever written.
  func read(_ target: UnsafeMutableRawPointer, at offset: Int, count: Int) {
    var done = 0
    while done < count {
      let position = offset + done
      let index = position / DiskGeometry.chunkSize
      let within = position % DiskGeometry.chunkSize
      let piece = min(count - done, DiskGeometry.chunkSize - within)
      if index < chunks.count, let memory = chunks[index].memory {
        unsafe (target + done).copyMemory(from: memory.bytes + within, byteCount: piece)
      } else {
        unsafe ChunkMemory.clear(target + done, piece)
      }
      done += piece
    }
  }

  /// Overwrites `count` bytes at `offset`, allocating the blocks.
  mutating func write(_ source: UnsafeRawPointer, at offset: Int, count: Int) {
    var done = 0
    while done < count {
      let position = offset + done
      let index = position / DiskGeometry.chunkSize
      let within = position % DiskGeometry.chunkSize
      let piece = min(count - done, DiskGeometry.chunkSize - within)
      let memory = ownedMemory(index)
      unsafe (memory.bytes + within).copyMemory(from: source + done, byteCount: piece)
      mark(index, within, piece)
      done += piece
    }
  }

  /// Marks the blocks of a range as allocated without touching their contents.
  mutating func allocate(at offset: Int, count: Int) {
    var done = 0
    while done < count {
      let position = offset + done
      let index = position / DiskGeometry.chunkSize
      let within = position % DiskGeometry.chunkSize
      let piece = min(count - done, DiskGeometry.chunkSize - within)
      grow(index)
      mark(index, within, piece)
      done += piece
    }
  }

  /// Makes a range read as zeros and gives back the blocks that lie wholly inside it. `toEnd` says
  /// that nothing follows the range, so a block that begins in it goes as well.
  mutating func release(at offset: Int, count: Int, toEnd: Bool = false) {
    let end = offset + count
    let firstBlock = (offset + DiskGeometry.blockSize - 1) / DiskGeometry.blockSize
    let lastBlock =
      toEnd
      ? (end + DiskGeometry.blockSize - 1) / DiskGeometry.blockSize : end / DiskGeometry.blockSize
    var position = offset
    while position < end {
      let index = position / DiskGeometry.chunkSize
      guard index < chunks.count else { break }
      let within = position % DiskGeometry.chunkSize
      let piece = min(end - position, DiskGeometry.chunkSize - within)
      if piece == DiskGeometry.chunkSize {
        chunks[index].memory = nil
      } else if chunks[index].memory != nil {
        let memory = ownedMemory(index)
        unsafe ChunkMemory.clear(memory.bytes + within, piece)
      }
      position += piece
    }
    var block = firstBlock
    while block < lastBlock {
      let index = block / DiskGeometry.blocksPerChunk
      guard index < chunks.count else { break }
      let bit = UInt8(1) << UInt8(block % DiskGeometry.blocksPerChunk)
      if chunks[index].mask & bit != 0 {
        chunks[index].mask &= ~bit
        allocatedBlocks -= 1
      }
      if chunks[index].mask == 0 { chunks[index].memory = nil }
      block += 1
    }
  }

  /// How many blocks a write of this range would newly allocate.
  func blocksMissing(at offset: Int, count: Int) -> Int {
    if count == 0 { return 0 }
    var missing = 0
    var block = offset / DiskGeometry.blockSize
    let last = (offset + count - 1) / DiskGeometry.blockSize
    while block <= last {
      if !isAllocated(block: block) { missing += 1 }
      block += 1
    }
    return missing
  }

  func isAllocated(block: Int) -> Bool {
    let index = block / DiskGeometry.blocksPerChunk
    guard index < chunks.count else { return false }
    return chunks[index].mask & (1 << UInt8(block % DiskGeometry.blocksPerChunk)) != 0
  }

  /// Whether any chunk of the range has memory; without, the range reads as zeros.
  func holdsBytes(at offset: Int, count: Int) -> Bool {
    if count == 0 { return false }
    var index = offset / DiskGeometry.chunkSize
    let last = min((offset + count - 1) / DiskGeometry.chunkSize, chunks.count - 1)
    while index <= last {
      if chunks[index].memory != nil { return true }
      index += 1
    }
    return false
  }

  /// Chunks that exist; the bytes beyond are zero and unallocated.
  var chunkCount: Int { chunks.count }

  /// The number of the n-th allocated block that begins below `length`, and how many there are.
  func allocatedBlock(_ wanted: Int?, below length: Int) -> (count: Int, block: Int) {
    var count = 0
    var found = -1
    let limit = (length + DiskGeometry.blockSize - 1) / DiskGeometry.blockSize
    var block = 0
    let end = min(limit, chunks.count * DiskGeometry.blocksPerChunk)
    while block < end {
      if isAllocated(block: block) {
        if count == wanted { found = block }
        count += 1
      }
      block += 1
    }
    return (count, found)
  }

  private mutating func grow(_ index: Int) {
    while chunks.count <= index { chunks.append(Chunk()) }
  }

  /// The chunk's memory, made or copied so that no other value sees the change.
  private mutating func ownedMemory(_ index: Int) -> ChunkMemory {
    grow(index)
    // Asked of the element in place: a copy in a local would itself be a second owner.
    let isOwner = isKnownUniquelyReferenced(&chunks[index].memory)
    if isOwner, let memory = chunks[index].memory { return memory }
    let fresh: ChunkMemory
    if let shared = chunks[index].memory {
      fresh = ChunkMemory(copying: shared)
    } else {
      fresh = ChunkMemory(byteCount: DiskGeometry.chunkSize)
    }
    chunks[index].memory = fresh
    return fresh
  }

  private mutating func mark(_ index: Int, _ within: Int, _ count: Int) {
    var block = within / DiskGeometry.blockSize
    let last = (within + count - 1) / DiskGeometry.blockSize
    while block <= last {
      let bit = UInt8(1) << UInt8(block)
      if chunks[index].mask & bit == 0 {
        chunks[index].mask |= bit
        allocatedBlocks += 1
      }
      block += 1
    }
  }
}
