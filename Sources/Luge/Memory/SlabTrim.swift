internal import Platform

// The budget bounds what is taken from the system, and blocks are counted by what is in use. Between
// the two lies the *waste*: free blocks of sizes that nobody asks for just now. When a slab is
// needed beyond the limit, the waste of that moment counts as in use, so pages are evicted until there
// is room for it; and slabs that have become empty go back.

extension Pin {
  /// One more slab is about to be taken.
  @inline(never)
  func noteNewSlab() {
    let limit = unsafe Int(WordRef(table, EpochTable.systemLimit).load())
    let taken = unsafe MemoryAccount.taken(table) + Slab.size
    if taken <= limit { return }
    let trimmed = unsafe Int(truncatingIfNeeded: WordRef(table, EpochTable.trimmed).load())
    // A look costs some nanoseconds for every free block.
    if unsafe WordRef(table, EpochTable.emptySlabs).load() == 0, abs(taken - trimmed) >= limit / 64
    {
      trim()
    }
    let now = unsafe MemoryAccount.taken(table) + Slab.size
    let waste = now <= limit ? 0 : waste(now)
    unsafe WordRef(table, EpochTable.waste).store(UInt64(min(waste, limit / 4 * 3)))
  }

  /// For the thread that evicts, now and then: gives back what it has emptied, where more is taken
  /// than there should be.
  func trimIfWasteful() {
    let limit = unsafe Int(WordRef(table, EpochTable.systemLimit).load())
    let taken = unsafe MemoryAccount.taken(table)
    guard limit > 0, taken > limit, waste(taken) > limit / 32 else { return }
    trim()
    let now = unsafe MemoryAccount.taken(table)
    let word = unsafe WordRef(table, EpochTable.waste)
    let former = word.load()
    let lower = UInt64(now <= limit ? 0 : waste(now))
    // It never rises here: less is in use just after an eviction than there will be.
    if lower < former { _ = word.compareExchange(expected: former, desired: lower) }
  }

  /// Of what is taken, what nothing uses. Other threads publish what they use a little later.
  private func waste(_ taken: Int) -> Int {
    let published = unsafe WordRef(table, EpochTable.published).load()
    let charged = unsafe WordRef(table, EpochTable.charged).load()
    return max(0, taken - max(0, Int(truncatingIfNeeded: published &+ charged)))
  }

  /// Gives slabs without a block in use back to the system, as far as their blocks lie in the shared
  /// stacks or in this thread's caches. Puts the blocks of the fullest slabs on top, so that the
  /// others become empty. Waits for nothing; one thread at a time.
  @inline(never)
  func trim() {
    let trimming = unsafe WordRef(table, EpochTable.trimming)
    guard trimming.compareExchange(expected: 0, desired: 1) else { return }
    var kind = 1
    while kind <= Int(field(PinLayout.slabLimit)) {
      trim(kind)
      kind += 1
    }
    let taken = unsafe MemoryAccount.taken(table)
    unsafe WordRef(table, EpochTable.trimmed).store(UInt64(truncatingIfNeeded: taken))
    trimming.store(0)
  }

  /// What a slab's count says while one size class is looked through: free blocks not looked at for the
  /// second time, and what becomes of them.
  private static let isEmpty: UInt64 = 1 << 32
  private static let isSparse: UInt64 = 1 << 33

  private func trim(_ kind: Int) {
    var all = unsafe takeFree(kind)
    var full = unsafe BlockChain(kind)
    var sparse = unsafe BlockChain(kind)
    while let block = unsafe all {
      unsafe all = Slab.pointer(block.load(as: UInt64.self))
      let slab = unsafe Slab.of(block)
      var state = unsafe slab.load(fromByteOffset: Slab.freeBlocks, as: UInt64.self)
      if state >> 32 == 0 {
        let free = Int(state)
        if free == Slab.capacity(kind) {
          state |= Pin.isEmpty
        } else if 4 * free > Slab.capacity(kind) {
          state |= Pin.isSparse
        }
      }
      state &-= 1
      let isDone = state & (Pin.isEmpty - 1) == 0
      unsafe slab.storeBytes(
        of: isDone ? 0 : state, toByteOffset: Slab.freeBlocks, as: UInt64.self)
      if state & Pin.isEmpty != 0 {
        if isDone { unsafe giveBack(slab) }
      } else if state & Pin.isSparse != 0 {
        unsafe sparse.push(block)
      } else {
        unsafe full.push(block)
      }
    }
    let stack = unsafe WordRef(table, EpochTable.batches &+ 8 &* kind)
    unsafe sparse.pushBatches(stack)
    unsafe full.pushBatches(stack)
    // What makes no whole batch stays here.
    let cache = BlockCache.offset(kind)
    unsafe sparse.append(to: &full)
    setField(cache, unsafe full.firstWord)
    setField(cache &+ BlockCache.count, unsafe UInt64(full.count))
  }

  /// All free blocks of a class that this thread can have, in one chain, counted in their slabs.
  @unsafe
  private func takeFree(_ kind: Int) -> UnsafeMutableRawPointer? {
    let cache = BlockCache.offset(kind)
    var all = unsafe Slab.pointer(field(cache))
    setField(cache, 0)
    setField(cache &+ BlockCache.count, 0)
    var block = unsafe all
    while let counted = unsafe block {
      unsafe Pin.noteFree(counted)
      unsafe block = Slab.pointer(counted.load(as: UInt64.self))
    }
    let stack = unsafe WordRef(table, EpochTable.batches &+ 8 &* kind)
    var batch = stack.load() == 0 ? nil : unsafe Slab.pointer(stack.exchange(0))
    while let first = unsafe batch {
      unsafe batch = Slab.pointer(first.load(fromByteOffset: 8, as: UInt64.self))
      var last = unsafe first
      while true {
        unsafe Pin.noteFree(last)
        guard let next = unsafe Slab.pointer(last.load(as: UInt64.self)) else { break }
        unsafe last = next
      }
      unsafe last.storeBytes(of: UInt64(UInt(bitPattern: all)), as: UInt64.self)
      unsafe all = first
    }
    return unsafe all
  }

  @unsafe @inline(__always)
  private static func noteFree(_ block: UnsafeMutableRawPointer) {
    let slab = unsafe Slab.of(block)
    let count = unsafe slab.load(fromByteOffset: Slab.freeBlocks, as: UInt64.self)
    unsafe slab.storeBytes(of: count &+ 1, toByteOffset: Slab.freeBlocks, as: UInt64.self)
  }

  @unsafe
  private func giveBack(_ slab: UnsafeMutableRawPointer) {
    unsafe PageMemory.discard(slab + (Slab.size - Slab.returned), Slab.returned)
    _ = unsafe WordRef(table, EpochTable.slabBytes).fetchAdd(0 &- UInt64(Slab.returned))
    let stack = unsafe WordRef(table, EpochTable.emptySlabs)
    unsafe Slab.push(stack, first: slab, last: slab, link: Slab.nextEmpty)
  }
}

/// Free blocks of one class, linked by their first words. Private to the thread that trims.
@unsafe private struct BlockChain {
  let kind: Int
  var first: UnsafeMutableRawPointer?
  var count = 0

  init(_ kind: Int) { unsafe self.kind = kind }

  var firstWord: UInt64 { unsafe UInt64(UInt(bitPattern: first)) }

  mutating func push(_ block: UnsafeMutableRawPointer) {
    unsafe block.storeBytes(of: firstWord, as: UInt64.self)
    unsafe first = block
    unsafe count += 1
  }

  mutating func pop() -> UnsafeMutableRawPointer? {
    guard let block = unsafe first else { return nil }
    unsafe first = Slab.pointer(block.load(as: UInt64.self))
    unsafe count -= 1
    return unsafe block
  }

  mutating func append(to other: inout BlockChain) {
    while let block = unsafe pop() { unsafe other.push(block) }
  }

  /// Whole batches go to the shared stack.
  mutating func pushBatches(_ stack: WordRef) {
    let size = unsafe SizeClass.batch(kind)
    while unsafe count >= size {
      var batch = unsafe BlockChain(kind)
      while unsafe batch.count < size, let block = unsafe pop() { unsafe batch.push(block) }
      let first = unsafe batch.first.unsafelyUnwrapped
      unsafe Slab.push(stack, first: first, last: first, link: 8)
    }
  }
}
