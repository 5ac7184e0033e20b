internal import Platform

/// What the threads of one reclaimer share.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 global epoch, from 1 up
///     64    8 number of places that have ever been used: all are below it
///    128    8 bytes allocated, as published: behind by less than the grain for each thread
///    192    8 grain: bytes that a place may gain or lose before it publishes them
///    200    8 flags: see `relaxedPins`, `noSlabs`
///    208    8 bytes charged by hand, for what is not allocated here
///    216    8 bytes of slabs, large blocks and charges above which slabs are given back; 0: never
///    224    8 overdraft: four times what is taken above that
///    232    8 1 while some thread looks for empty slabs
///    240    8 bytes taken at the last such look
///    248    8 bytes of free blocks of one size class that a thread keeps
///    256    8 stack of bags: retired blocks that their threads gave away (`RetiredBag`)
///    320    8 stack of chunks: every run of slabs got from the system (`Slab`)
///    384    8 stack of slabs without a block in use
///    448    8 bytes of slabs in use, at least one block of each of them was
///    456    8 bytes of large blocks
///    512  296 stacks of slabs that have free blocks, by size class (`Slab`)
///    832  128 the readers (`ReaderList`)
///    960 8192 addresses of the places, by thread slot; 0 until first used
/// ```
enum EpochTable {
  static let epoch = 0
  static let used = 64
  static let published = 128
  static let grain = 192
  static let flags = 200
  static let charged = 208
  static let systemLimit = 216
  static let overdraft = 224
  static let trimming = 232
  static let trimmed = 240
  static let cachedBytes = 248
  static let bags = 256
  static let chunks = 320
  static let emptySlabs = 384
  static let slabBytes = 448
  static let largeBytes = 456
  static let slabs = 512
  static let readers = 832
  static let places = 960
  static var size: Int { places + 8 * ThreadSlot.limit }

  /// Pins are stored without a barrier, and reclaimers run one on all threads.
  static let relaxedPins: UInt64 = 1
  /// Every block is an allocation of the system's.
  static let noSlabs: UInt64 = 2

  /// The least epoch in which a pin that still holds began; `UInt64.max` when none holds.
  ///
  /// With relaxed pins it first makes every thread pass a barrier. Then a pin that is not seen here
  /// comes after that barrier, and what follows it finds everything that was unlinked before.
  @unsafe
  static func oldestPin(_ table: UnsafeMutableRawPointer) -> UInt64 {
    unsafe barrier(table)
    let used = unsafe Int(WordRef(table, EpochTable.used).loadSequential())
    var oldest = UInt64.max
    var index = 0
    while index < used {
      if let place = unsafe place(table, index) {
        let pinned = unsafe WordRef(place, PinLayout.pin).loadSequential()
        if pinned != 0 && pinned < oldest { oldest = pinned }
      }
      index += 1
    }
    return oldest
  }

  @unsafe @inline(__always)
  static func barrier(_ table: UnsafeMutableRawPointer) {
    let flags = unsafe WordRef(table, EpochTable.flags).loadRelaxed()
    if flags & relaxedPins != 0 { ProcessBarrier.run() }
  }

  @unsafe @inline(__always)
  static func place(
    _ table: UnsafeMutableRawPointer, _ slot: Int
  ) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(WordRef(table, places + 8 * slot).load()))
  }
}
