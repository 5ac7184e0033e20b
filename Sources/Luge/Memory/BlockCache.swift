internal import Platform

// Allocation: from the thread's cache, from what is free in a slab, or from a new one.

/// One thread's free blocks of one size class.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 address of the first free block, or 0; each one's first word is the next
///      8    8 how many they are
///     16    8 next block never used in the slab that this thread carves
///     24    8 end of that slab's last block
/// ```
/// Invariant: a block is in use, or in one cache, or free in its slab, or beyond the mark of a slab that
/// is carved.
enum BlockCache {
  static let first = 0
  static let count = 8
  static let next = 16
  static let end = 24
  static let bytes = 32

  /// The class's offset in a place.
  @inline(__always)
  static func offset(_ kind: Int) -> Int { PinLayout.caches &+ kind &* bytes }
}

/// What freed memory holds where that is checked.
private let poison: UInt8 = 0xDB

extension Pin {
  /// Memory of at least `bytes` bytes, aligned to 16, counted.
  @unsafe @inline(__always)
  func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    let block = unsafe takeBlock(bytes)
    noteAllocation(UInt(bitPattern: block), bytes)
    return unsafe block
  }

  @unsafe @inline(__always)
  private func takeBlock(_ bytes: Int) -> UnsafeMutableRawPointer {
    let kind = SizeClass.of(bytes)
    if kind > Int(field(PinLayout.slabLimit)) { return unsafe allocateLarge(bytes) }
    count(SizeClass.size(kind))
    let cache = BlockCache.offset(kind)
    guard let block = unsafe Slab.pointer(field(cache)) else { return unsafe allocateFresh(kind) }
    setField(cache, unsafe block.load(as: UInt64.self))
    setField(cache &+ BlockCache.count, field(cache &+ BlockCache.count) &- 1)
    unsafe checkPoison(block, kind)
    return unsafe block
  }

  /// Gives back at once what nobody else can have seen, or can see any more.
  @unsafe @inline(__always)
  func free(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let kind = SizeClass.of(bytes)
    unsafe fillPoison(pointer, bytes)
    let isOwn = kind > Int(field(PinLayout.slabLimit))
    // A simulation may keep the block, so that whoever still uses it is caught.
    let isKept = noteFree(UInt(bitPattern: pointer), bytes, isOwn: isOwn)
    if isOwn { return unsafe freeLarge(pointer, bytes, isKept: isKept) }
    count(0 &- SizeClass.size(kind))
    if isKept { return }
    let cache = BlockCache.offset(kind)
    unsafe pointer.storeBytes(of: field(cache), as: UInt64.self)
    setField(cache, UInt64(UInt(bitPattern: pointer)))
    let held = field(cache &+ BlockCache.count) &+ 1
    setField(cache &+ BlockCache.count, held)
    let most = unsafe WordRef(table, EpochTable.cachedBytes).loadRelaxed()
    if held &* UInt64(SizeClass.size(kind)) >= most { give(kind, max(2, held / 2)) }
  }

  /// Changes the account; tells the others once the change is worth it.
  @inline(__always)
  private func count(_ bytes: Int) {
    let word = unsafe WordRef(place, PinLayout.bytes)
    let now = word.loadRelaxed() &+ UInt64(bitPattern: Int64(bytes))
    word.storeRelaxed(now)
    let change = Int64(bitPattern: now &- field(PinLayout.published))
    let grain = unsafe WordRef(table, EpochTable.grain).loadRelaxed()
    if change.magnitude >= grain { publish() }
  }

  /// Brings the shared total up to date with this place.
  @inline(never)
  func publish() {
    let now = unsafe WordRef(place, PinLayout.bytes).loadRelaxed()
    let change = now &- field(PinLayout.published)
    setField(PinLayout.published, now)
    _ = unsafe WordRef(table, EpochTable.published).fetchAdd(change)
  }

  // MARK: Large blocks

  @unsafe @inline(never)
  private func allocateLarge(_ bytes: Int) -> UnsafeMutableRawPointer {
    count(SizeClass.accounted(bytes))
    _ = unsafe WordRef(table, EpochTable.largeBytes).fetchAdd(UInt64(SizeClass.accounted(bytes)))
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  }

  @unsafe @inline(never)
  private func freeLarge(_ pointer: UnsafeMutableRawPointer, _ bytes: Int, isKept: Bool) {
    count(0 &- SizeClass.accounted(bytes))
    _ = unsafe WordRef(table, EpochTable.largeBytes)
      .fetchAdd(0 &- UInt64(SizeClass.accounted(bytes)))
    if !isKept { unsafe pointer.deallocate() }
  }

  // MARK: Slabs

  /// Looks at a stack of slabs that another thread may hold for a moment, before more is taken than there
  /// should be.
  #if SchedulePoints
    private static let looks = 2
  #else
    private static let looks = 10_000
  #endif

  /// A block when the cache has none.
  @unsafe @inline(never)
  private func allocateFresh(_ kind: Int) -> UnsafeMutableRawPointer {
    let cache = BlockCache.offset(kind)
    let size = SizeClass.size(kind)
    let stack = unsafe WordRef(table, EpochTable.slabs &+ 8 &* kind)
    var looks = 0
    while true {
      if let next = unsafe Slab.pointer(field(cache &+ BlockCache.next)) {
        let after = unsafe next + size
        if UInt64(UInt(bitPattern: after)) <= field(cache &+ BlockCache.end) {
          setField(cache &+ BlockCache.next, UInt64(UInt(bitPattern: after)))
          return unsafe next
        }
      }
      if let slab = unsafe Slab.pop(stack) {
        let (first, count) = unsafe Slab.takeFree(slab)
        setField(cache, unsafe first.load(as: UInt64.self))
        setField(cache &+ BlockCache.count, count &- 1)
        unsafe checkPoison(first, kind)
        return unsafe first
      }
      if looks < Pin.looks, unsafe WordRef(table, EpochTable.overdraft).loadRelaxed() != 0 {
        looks &+= 1
        continue
      }
      let slab = unsafe takeSlab()
      let first = unsafe slab + Slab.headerBytes
      setField(cache &+ BlockCache.next, UInt64(UInt(bitPattern: first)))
      let end = unsafe first + Slab.capacity(kind) &* size
      setField(cache &+ BlockCache.end, UInt64(UInt(bitPattern: end)))
    }
  }

  /// A slab for any class: one that became empty, or the next of this thread's chunk.
  @unsafe
  private func takeSlab() -> UnsafeMutableRawPointer {
    if unsafe WordRef(table, EpochTable.systemLimit).loadRelaxed() != 0 { noteNewSlab() }
    let empty = unsafe WordRef(table, EpochTable.emptySlabs)
    if let slab = unsafe Slab.pop(empty) {
      _ = unsafe WordRef(table, EpochTable.slabBytes).fetchAdd(UInt64(Slab.returned))
      return unsafe slab
    }
    if field(PinLayout.nextSlab) == field(PinLayout.chunkEnd) {
      let (base, bytes) = unsafe Slab.makeChunk(table)
      setField(PinLayout.nextSlab, UInt64(UInt(bitPattern: base)))
      setField(PinLayout.chunkEnd, UInt64(UInt(bitPattern: base)) &+ UInt64(bytes))
    }
    let slab = field(PinLayout.nextSlab)
    setField(PinLayout.nextSlab, slab &+ UInt64(Slab.size))
    _ = unsafe WordRef(table, EpochTable.slabBytes).fetchAdd(UInt64(Slab.size))
    let base = unsafe Slab.pointer(slab).unsafelyUnwrapped
    unsafe Slab.clear(base)
    return unsafe base
  }

  /// Gives so many blocks of this thread's cache back to their slabs, for others and to become empty.
  @inline(never)
  func give(_ kind: Int, _ count: UInt64) {
    let cache = BlockCache.offset(kind)
    let stack = unsafe WordRef(table, EpochTable.slabs &+ 8 &* kind)
    var left = min(count, field(cache &+ BlockCache.count))
    setField(cache &+ BlockCache.count, field(cache &+ BlockCache.count) &- left)
    while left > 0, let block = unsafe Slab.pointer(field(cache)) {
      let after = unsafe block.load(as: UInt64.self)
      setField(cache, after)
      // Each block has a slab of its own, mostly, whose line comes while this one's is changed.
      if let next = unsafe Slab.pointer(after) { unsafe prefetch(Slab.of(next)) }
      unsafe Slab.giveFree(block, stack)
      left &-= 1
    }
  }

  // MARK: Poison

  /// In builds that look for mistakes, freed memory is no longer what it was.
  @unsafe @inline(__always)
  private func fillPoison(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    #if DEBUG || SchedulePoints
      let kind = SizeClass.of(bytes)
      let length = kind <= Int(field(PinLayout.slabLimit)) ? SizeClass.size(kind) : bytes
      unsafe pointer.initializeMemory(as: UInt8.self, repeating: poison, count: length)
    #endif
  }

  /// Nobody has written to a block while it was free. (Its first 8 bytes hold a link.)
  @unsafe @inline(__always)
  func checkPoison(_ block: UnsafeMutableRawPointer, _ kind: Int) {
    #if DEBUG || SchedulePoints
      var offset = 8
      while offset < SizeClass.size(kind) {
        let word = unsafe block.load(fromByteOffset: offset, as: UInt64.self)
        precondition(word == 0x0101_0101_0101_0101 &* UInt64(poison), "a freed block was written")
        offset &+= 8
      }
    #endif
  }
}
