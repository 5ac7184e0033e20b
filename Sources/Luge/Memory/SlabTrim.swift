internal import Platform

// The budget bounds what is taken from the system, and blocks are counted by what is in use. Between
// the two lie free blocks of sizes that nobody asks for just now. When more is taken than there should be,
// slabs that have become empty go back, and what is over, four times, counts as in use: so pages are
// evicted, and their blocks serve those who would need another slab. It counts for no more than that: who
// took all that is free for used, and evicted for it, would have more free and less used with each slab.

extension Pin {
  /// One more slab is about to be taken.
  @inline(never)
  func noteNewSlab() {
    let limit = unsafe Int(WordRef(table, EpochTable.systemLimit).load())
    let taken = unsafe MemoryAccount.taken(table) + Slab.size
    if taken <= limit { return }
    let trimmed = unsafe Int(truncatingIfNeeded: WordRef(table, EpochTable.trimmed).load())
    // A look costs some nanoseconds for every free block.
    if unsafe WordRef(table, EpochTable.emptySlabs).load() == 0, abs(taken - trimmed) >= limit / 256
    {
      trim()
    }
    noteOverdraft(limit, more: Slab.size)
  }

  /// How many times what is over counts.
  private static let severity = 4

  private func noteOverdraft(_ limit: Int, more: Int = 0) {
    let over = unsafe max(0, MemoryAccount.taken(table) + more - limit)
    unsafe WordRef(table, EpochTable.overdraft).store(
      UInt64(min(Pin.severity * over, limit / 4 * 3)))
  }

  /// For the thread that evicts, now and then: gives back what it has emptied, where more is taken
  /// than there should be.
  func trimIfWasteful() {
    let limit = unsafe Int(WordRef(table, EpochTable.systemLimit).load())
    let taken = unsafe MemoryAccount.taken(table)
    guard limit > 0, taken > limit else { return }
    if free(taken) > limit / 32 { trim() }
    noteOverdraft(limit)
  }

  /// Of what is taken, what nothing uses. Other threads publish what they use a little later.
  private func free(_ taken: Int) -> Int {
    let published = unsafe WordRef(table, EpochTable.published).load()
    let charged = unsafe WordRef(table, EpochTable.charged).load()
    return max(0, taken - max(0, Int(truncatingIfNeeded: published &+ charged)))
  }

  /// Gives slabs without a block in use back to the system, as far as their blocks lie in no other
  /// thread's caches. Puts those with the fewest free blocks on top of each stack, so that the others
  /// become empty. O(slabs with free blocks); waits for nothing; one thread at a time.
  @inline(never)
  func trim() {
    let trimming = unsafe WordRef(table, EpochTable.trimming)
    guard trimming.compareExchange(expected: 0, desired: 1) else { return }
    var kind = 1
    while kind <= Int(field(PinLayout.slabLimit)) {
      give(kind, .max)
      trim(kind)
      kind += 1
    }
    let taken = unsafe MemoryAccount.taken(table)
    unsafe WordRef(table, EpochTable.trimmed).store(UInt64(truncatingIfNeeded: taken))
    trimming.store(0)
  }

  private func trim(_ kind: Int) {
    let stack = unsafe WordRef(table, EpochTable.slabs &+ 8 &* kind)
    let capacity = Slab.capacity(kind)
    var all = Slab.takeAll(stack)
    var sparse: UInt64 = 0
    var full: UInt64 = 0
    while let slab = unsafe Slab.unlink(&all) {
      let free = unsafe Slab.freeCount(slab)
      if free == capacity {
        unsafe giveBack(slab)
      } else if 4 * free > capacity {
        unsafe Slab.link(slab, &sparse)
      } else {
        unsafe Slab.link(slab, &full)
      }
    }
    while let slab = unsafe Slab.unlink(&sparse) { unsafe Slab.push(stack, slab) }
    while let slab = unsafe Slab.unlink(&full) { unsafe Slab.push(stack, slab) }
  }

  @unsafe
  private func giveBack(_ slab: UnsafeMutableRawPointer) {
    unsafe Slab.clear(slab)
    unsafe PageMemory.discard(slab + (Slab.size - Slab.returned), Slab.returned)
    _ = unsafe WordRef(table, EpochTable.slabBytes).fetchAdd(0 &- UInt64(Slab.returned))
    unsafe Slab.push(WordRef(table, EpochTable.emptySlabs), slab)
  }
}
