internal import Platform

/// A run of equal blocks, and what threads share of them.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 of the first slab of a chunk: address of the next chunk, or 0
///      8    8 of a slab without a block in use: address of the next such slab, or 0
///     16    8 free blocks counted by a trim (SlabTrim); else 0
///     24    8 bytes of the chunk, in its first slab
///     64      the blocks
/// ```
/// A slab lies at a multiple of its size, so a block's address names it. A *chunk* is a run of slabs
/// got from the system at once. A free block's first word is the address of the next free one; the
/// second word of the first block of a *batch* in a shared stack is the next batch.
///
/// Stacks are emptied whole, by an exchange, and what is not needed is pushed again: so no thread
/// looks at an element that another may take, and no count has to guard against reuse.
///
/// Safe because slabs live as long as their reclaimer, and a free block belongs to whoever took the
/// stack that it was in.
enum Slab {
  static let size = 32 << 10
  static let headerBytes = 64
  static let firstChunk = 128 << 10
  static let largestChunk = 2 << 20

  private static let nextChunk = 0
  static let nextEmpty = 8
  static let freeBlocks = 16
  /// What giving an empty slab back saves: its first page keeps its place in a stack.
  static let returned = size - 4096
  private static let chunkBytes = 24

  @unsafe @inline(__always)
  static func of(_ block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    let address = UInt(bitPattern: block) & ~UInt(size - 1)
    return unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
  }

  /// Blocks of a class that one slab holds.
  @inline(__always)
  static func capacity(_ kind: Int) -> Int { (size - headerBytes) / SizeClass.size(kind) }

  // MARK: Stacks

  /// Pushes a chain of elements, linked at `link`, of which the last is known.
  @unsafe
  static func push(
    _ stack: WordRef, first: UnsafeMutableRawPointer, last: UnsafeMutableRawPointer, link: Int
  ) {
    while true {
      let top = stack.load()
      unsafe last.storeBytes(of: top, toByteOffset: link, as: UInt64.self)
      if stack.compareExchange(expected: top, desired: UInt64(UInt(bitPattern: first))) { return }
    }
  }

  /// Takes one element; the rest goes back. Nil when the stack is empty, or another thread is at it.
  @unsafe
  static func pop(_ stack: WordRef, link: Int) -> UnsafeMutableRawPointer? {
    if stack.load() == 0 { return nil }
    guard let first = unsafe pointer(stack.exchange(0)) else { return nil }
    let rest = unsafe pointer(first.load(fromByteOffset: link, as: UInt64.self))
    guard let rest = unsafe rest else { return unsafe first }
    // Usually nobody has pushed meanwhile, and the chain goes back as it is.
    if stack.compareExchange(expected: 0, desired: UInt64(UInt(bitPattern: rest))) {
      return unsafe first
    }
    var last = unsafe rest
    while let next = unsafe pointer(last.load(fromByteOffset: link, as: UInt64.self)) {
      unsafe last = next
    }
    unsafe push(stack, first: rest, last: last, link: link)
    return unsafe first
  }

  @unsafe @inline(__always)
  static func pointer(_ word: UInt64) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(word))
  }

  // MARK: Chunks

  /// A chunk for one thread to carve slabs from: small at first, larger as the memory grows.
  @unsafe
  static func makeChunk(
    _ table: UnsafeMutableRawPointer
  ) -> (base: UnsafeMutableRawPointer, bytes: Int) {
    // With a limit in sight no large pages: they come and go as a whole.
    let total = unsafe WordRef(table, EpochTable.slabBytes).load()
    let limit = unsafe WordRef(table, EpochTable.systemLimit).load()
    let isSmall = total < 16 << 20 || (limit != 0 && (limit < 128 << 20 || total > limit / 4 &* 3))
    let bytes = isSmall ? firstChunk : largestChunk
    let alignment = bytes == largestChunk ? largestChunk : size
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
    if bytes == largestChunk { unsafe PageMemory.preferLarge(base, bytes) }
    unsafe base.storeBytes(of: UInt64(bytes), toByteOffset: chunkBytes, as: UInt64.self)
    unsafe push(WordRef(table, EpochTable.chunks), first: base, last: base, link: nextChunk)
    return unsafe (base, bytes)
  }

  /// Gives every chunk back. Nobody uses a block of them any more.
  @unsafe
  static func freeAll(_ table: UnsafeMutableRawPointer) {
    var rest = unsafe pointer(WordRef(table, EpochTable.chunks).exchange(0))
    while let chunk = unsafe rest {
      unsafe rest = pointer(chunk.load(fromByteOffset: nextChunk, as: UInt64.self))
      let bytes = unsafe chunk.load(fromByteOffset: chunkBytes, as: UInt64.self)
      noteReturn(UInt(bitPattern: chunk), Int(bytes))
      unsafe chunk.deallocate()
    }
  }
}
