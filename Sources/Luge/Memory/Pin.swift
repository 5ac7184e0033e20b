internal import Platform

/// One thread's place in an epoch table: raw memory that this thread alone writes, except that
/// reclaimers read the first 64 bytes and the byte count, and whoever ends a hazard clears its word.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 pin word: 0, or the epoch in which the outermost pin began
///      8 6x8  hazards: addresses of blocks that must stay though no pin holds them; 0 when free
///     56    8 address of more hazards (`HazardBlock`), or 0
///     64    8 depth of nested pins
///     72    8 bytes allocated less bytes freed through this place (modulo 2^64)
///     80    8 of these, what is in the shared total
///     88    8 flags of the epoch table
///     96    8 the highest size class that lies in slabs; 0 when none does
///    104    8 address of the epoch table
///    112    8 bytes of the log that ordinary pieces may still take before the next admission
///    120    8 bytes of the large piece that admission allowed, or 0
///    128    8 bytes of a large piece that admission did not allow and the next one should, or 0
///    136    8 retired blocks: address of an array of {address, bytes, epoch}
///    144    8 its capacity in blocks
///    152    8 index of the oldest block not yet freed
///    160    8 index after the newest
///    168    8 index at which the next reclaim is tried
///    176    8 room for hazards seen by a reclaim: its address
///    184    8 its capacity
///    192    8 next slab to be carved from this thread's chunk, and
///    200    8 the end of that chunk
///    208    8 the thread slot
///    216    8 reservations of the large piece left
///    224    8 bytes of the retired blocks not yet freed
///    256 1184 caches of free blocks, by size class (`BlockCache`)
///   1472  512 what readers hold, seen by a reclaim (`HeldFilter`)
/// ```
enum PinLayout {
  static let pin = 0
  static let hazards = 8
  static let hazardCount = 6
  static let moreHazards = 56
  static let depth = 64
  static let bytes = 72
  static let published = 80
  static let flags = 88
  static let slabLimit = 96
  static let table = 104
  static let logBytes = 112
  static let largePiece = 120
  static let wantedPiece = 128
  static let retired = 136
  static let capacity = 144
  static let first = 152
  static let end = 160
  static let nextReclaim = 168
  static let seenHazards = 176
  static let seenCapacity = 184
  static let nextSlab = 192
  static let chunkEnd = 200
  static let slot = 208
  static let largeReservations = 216
  static let retiredBytes = 224
  static let caches = 256
  static let heldBits = 1472
  static let size = 1984
}

/// A pin held by the calling thread: while it is held, nothing that was reachable when it began is
/// freed. The handle for allocating, freeing, retiring and protecting.
///
/// Safe because only the thread that holds the slot uses its place, and places live as long as
/// their `EpochReclaimer`. Ending is by hand: exactly one `end()` for each `pin()`.
@safe struct Pin {
  let place: UnsafeMutableRawPointer

  @unsafe @inline(__always)
  init(_ place: UnsafeMutableRawPointer) { unsafe self.place = place }

  @inline(__always)
  func field(_ offset: Int) -> UInt64 { unsafe place.load(fromByteOffset: offset, as: UInt64.self) }

  @inline(__always)
  func setField(_ offset: Int, _ value: UInt64) {
    unsafe place.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
  }

  @inline(__always)
  var table: UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(field(PinLayout.table))).unsafelyUnwrapped
  }

  /// Begins a pin, or one more inside one.
  @inline(__always)
  func begin() {
    let depth = field(PinLayout.depth)
    setField(PinLayout.depth, depth &+ 1)
    if depth == 0 {
      let epoch = unsafe WordRef(table, EpochTable.epoch).load()
      let word = unsafe WordRef(place, PinLayout.pin)
      if field(PinLayout.flags) & EpochTable.relaxedPins != 0 {
        // No later read of shared memory may be ordered before this store: the compiler is told
        // here, the processor by the barrier of whoever looks at the word.
        word.storeRelaxed(epoch)
        ProcessBarrier.compilerOnly()
      } else {
        // An exchange orders it by itself.
        _ = word.exchange(epoch)
      }
    }
  }

  @inline(__always)
  func end() {
    let depth = field(PinLayout.depth) &- 1
    setField(PinLayout.depth, depth)
    if depth == 0 { unsafe WordRef(place, PinLayout.pin).store(0) }
  }

  /// True when no pin of this thread holds: it may wait.
  @inline(__always)
  var isEnded: Bool { field(PinLayout.depth) == 0 }
}
