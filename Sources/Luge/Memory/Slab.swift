internal import Platform

/// A run of equal blocks, and what threads share of them.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 of the first slab of a chunk: address of the next chunk, or 0
///      8    8 next slab in the stack that it is in, or 0
///     16    8 free word: bits 4-47 address of the first free block here that is in no cache, or 0; bits
///             48-63 how many those are; bit 0: the slab is in its class's stack, or on its way there
///     24    8 bytes of the chunk, in its first slab
///     64      the blocks
/// ```
/// A slab lies at a multiple of its size, so a block's address names it. A *chunk* is a run of slabs
/// got from the system at once. A free block's first word is the address of the next free one.
///
/// Who needs blocks takes all that are free in one slab: the one that was full most recently of those in
/// the stack, which has few. Those with many free blocks lie deeper, where they have time to become empty.
///
/// Stacks are emptied whole, by an exchange, and what is not needed is pushed again: so no thread
/// looks at an element that another may take, and no count has to guard against reuse.
///
/// Safe because slabs live as long as their reclaimer, and a free block belongs to whoever took it out
/// of its slab.
enum Slab {
  static let size = 32 << 10
  static let headerBytes = 64
  static let firstChunk = 128 << 10
  static let largestChunk = 2 << 20

  private static let nextChunk = 0
  private static let next = 8
  static let free = 16
  private static let listed: UInt64 = 1
  private static let addressMask: UInt64 = 0x0000_FFFF_FFFF_FFF0
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

  // MARK: Free blocks

  /// Puts a free block into its slab, and the slab into its class's stack unless it is there.
  @unsafe
  static func giveFree(_ block: UnsafeMutableRawPointer, _ stack: WordRef) {
    let slab = unsafe of(block)
    let word = unsafe WordRef(slab, free)
    let address = UInt64(UInt(bitPattern: block))
    while true {
      let seen = word.load()
      unsafe block.storeBytes(of: seen & addressMask, as: UInt64.self)
      let count = (seen >> 48 &+ 1) << 48
      if word.compareExchange(expected: seen, desired: count | address | listed) {
        if seen & listed == 0 { unsafe push(stack, slab) }
        return
      }
    }
  }

  /// Takes all free blocks of a slab that the caller took out of a stack: at least one, linked.
  @unsafe
  static func takeFree(
    _ slab: UnsafeMutableRawPointer
  ) -> (first: UnsafeMutableRawPointer, count: UInt64) {
    let seen = unsafe WordRef(slab, free).exchange(0)
    return unsafe (pointer(seen & addressMask).unsafelyUnwrapped, seen >> 48)
  }

  /// Makes a slab one without blocks: new, or in no stack with all its blocks free.
  @unsafe
  static func clear(_ slab: UnsafeMutableRawPointer) { unsafe WordRef.initialize(slab, free, 0) }

  /// How many blocks of a slab are free and in no cache.
  @unsafe
  static func freeCount(_ slab: UnsafeMutableRawPointer) -> Int {
    unsafe Int(WordRef(slab, free).load() >> 48)
  }

  // MARK: Stacks

  /// A slab to a stack of slabs.
  @unsafe
  static func push(_ stack: WordRef, _ slab: UnsafeMutableRawPointer) {
    unsafe push(stack, first: slab, last: slab, link: next)
  }

  /// A slab from a stack of slabs; nil when it is empty, or another thread is at it.
  @unsafe
  static func pop(_ stack: WordRef) -> UnsafeMutableRawPointer? { unsafe pop(stack, link: next) }

  /// All slabs of a stack, linked: the first one's address, or 0.
  static func takeAll(_ stack: WordRef) -> UInt64 { stack.load() == 0 ? 0 : stack.exchange(0) }

  /// Takes the first slab out of a chain that no other thread sees.
  static func unlink(_ chain: inout UInt64) -> UnsafeMutableRawPointer? {
    guard let slab = unsafe pointer(chain) else { return nil }
    chain = unsafe slab.load(fromByteOffset: next, as: UInt64.self)
    return unsafe slab
  }

  /// Puts a slab before a chain that no other thread sees.
  @unsafe
  static func link(_ slab: UnsafeMutableRawPointer, _ chain: inout UInt64) {
    unsafe slab.storeBytes(of: chain, toByteOffset: next, as: UInt64.self)
    chain = UInt64(UInt(bitPattern: slab))
  }

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
  private static func pop(_ stack: WordRef, link: Int) -> UnsafeMutableRawPointer? {
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
