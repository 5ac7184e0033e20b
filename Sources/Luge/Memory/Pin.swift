internal import Platform

/// One thread's place in an epoch table: raw memory that this thread alone writes, except that
/// reclaimers read its pin word and the byte count.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 pin word: 0, or the epoch in which the outermost pin began
///     64    8 depth of nested pins
///     72    8 bytes allocated less bytes freed through this place (modulo 2^64)
///     80    8 retired blocks: address of an array of {address, bytes, epoch}
///     88    8 its capacity in blocks
///     96    8 index of the oldest block not yet freed
///    104    8 index after the newest
///    112    8 address of the epoch table
///    120    8 log reservations left before the next admission
///    128    8 bytes of the largest piece that admission allowed
///    136    8 index at which the next reclaim is tried
///    144    8 bytes of a piece that admission did not allow and the next one should, or 0
/// ```
enum PinLayout {
  static let pin = 0
  static let depth = 64
  static let bytes = 72
  static let retired = 80
  static let capacity = 88
  static let first = 96
  static let end = 104
  static let table = 112
  static let reservations = 120
  static let largestPiece = 128
  static let nextReclaim = 136
  static let wantedPiece = 144
  static let size = 192

  static let blockSize = 24
  /// Blocks between two tries to reclaim.
  static let batch: UInt64 = 64
  /// Bytes from which one block alone is worth a try.
  static let largeBlock = 1 << 16
}

/// A pin held by the calling thread: while it is held, nothing that was reachable when it began is
/// freed. The handle for allocating, freeing and retiring.
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
      // An exchange, so that no later read of shared memory is ordered before it.
      _ = unsafe WordRef(place, PinLayout.pin).exchange(epoch)
    }
  }

  @inline(__always)
  func end() {
    let depth = field(PinLayout.depth) &- 1
    setField(PinLayout.depth, depth)
    if depth == 0 { unsafe WordRef(place, PinLayout.pin).store(0) }
  }

  /// Memory of at least `bytes` bytes, aligned to 16, counted.
  @unsafe @inline(__always)
  func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    count(UInt64(bytes))
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
  }

  /// Gives back at once what nobody else can have seen.
  @unsafe @inline(__always)
  func free(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    count(0 &- UInt64(bytes))
    #if DEBUG
      unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0xDB, count: bytes)
    #endif
    unsafe pointer.deallocate()
  }

  @inline(__always)
  private func count(_ bytes: UInt64) {
    let word = unsafe WordRef(place, PinLayout.bytes)
    word.storeRelaxed(word.loadRelaxed() &+ bytes)
  }

  /// Hands over a block that can no longer be reached; it is freed when every pin that began
  /// before now has ended.
  @unsafe
  func retire(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let end = field(PinLayout.end)
    if end == field(PinLayout.capacity) { makeRoom() }
    let index = field(PinLayout.end)
    let block = unsafe blocks + Int(index) &* PinLayout.blockSize
    let epoch = unsafe WordRef(table, EpochTable.epoch).loadSequential()
    unsafe block.storeBytes(of: UInt64(UInt(bitPattern: pointer)), as: UInt64.self)
    unsafe block.storeBytes(of: UInt64(bytes), toByteOffset: 8, as: UInt64.self)
    unsafe block.storeBytes(of: epoch, toByteOffset: 16, as: UInt64.self)
    setField(PinLayout.end, index &+ 1)
    if index >= field(PinLayout.nextReclaim) || bytes >= PinLayout.largeBlock { reclaim() }
  }

  private var blocks: UnsafeMutableRawPointer {
    unsafe UnsafeMutableRawPointer(bitPattern: UInt(field(PinLayout.retired))).unsafelyUnwrapped
  }

  /// Moves the blocks to the front, or to an array twice as large.
  private func makeRoom() {
    let (first, end) = (field(PinLayout.first), field(PinLayout.end))
    let capacity = field(PinLayout.capacity)
    let live = Int(end &- first) &* PinLayout.blockSize
    let old = unsafe UnsafeMutableRawPointer(bitPattern: UInt(field(PinLayout.retired)))
    if let old = unsafe old, first > capacity / 2 {
      unsafe old.copyMemory(from: old + Int(first) &* PinLayout.blockSize, byteCount: live)
    } else {
      let grown = capacity == 0 ? 128 : capacity &* 2
      let bytes = Int(grown) &* PinLayout.blockSize
      let new = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
      if let old = unsafe old {
        unsafe new.copyMemory(from: old + Int(first) &* PinLayout.blockSize, byteCount: live)
        unsafe old.deallocate()
      }
      setField(PinLayout.retired, UInt64(UInt(bitPattern: new)))
      setField(PinLayout.capacity, grown)
    }
    setField(PinLayout.first, 0)
    setField(PinLayout.end, end &- first)
    let next = field(PinLayout.nextReclaim)
    setField(PinLayout.nextReclaim, next > first ? next &- first : 0)
  }

  /// Frees this thread's retired blocks that no pin can reach any more.
  func reclaim() {
    // Ours included, so a block retired in this pin waits for the next try.
    _ = unsafe WordRef(table, EpochTable.epoch).fetchAdd(1)
    freeBlocks(before: unsafe EpochTable.oldestPin(table))
    setField(PinLayout.nextReclaim, field(PinLayout.end) &+ PinLayout.batch)
  }

  /// Frees the blocks retired in an epoch before `epoch`, but those that readers hold.
  ///
  /// Whoever knows that no pin of such an epoch holds has looked at the pins, so the held addresses
  /// may be looked at now.
  func freeBlocks(before epoch: UInt64) {
    if field(PinLayout.first) == field(PinLayout.end) { return }
    withHeldFilter { freeBlocks(before: epoch, $0) }
  }

  private func freeBlocks(before epoch: UInt64, _ filter: HeldFilter) {
    let start = field(PinLayout.first)
    let end = field(PinLayout.end)
    var first = start
    var kept = start
    while first < end {
      let block = unsafe blocks + Int(first) &* PinLayout.blockSize
      let retired = unsafe block.load(fromByteOffset: 16, as: UInt64.self)
      if retired >= epoch { break }
      let address = unsafe block.load(as: UInt64.self)
      let bytes = unsafe block.load(fromByteOffset: 8, as: UInt64.self)
      if filter.contains(address) {
        probe("memory.heldBlockKept")
        unsafe (blocks + Int(kept) &* PinLayout.blockSize)
          .copyMemory(from: block, byteCount: PinLayout.blockSize)
        kept &+= 1
      } else {
        unsafe free(
          UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped, Int(bytes))
      }
      first &+= 1
    }
    // What was kept comes right before what is not old enough.
    let count = kept &- start
    if count > 0 && first > kept {
      unsafe (blocks + Int(first &- count) &* PinLayout.blockSize)
        .copyMemory(
          from: blocks + Int(start) &* PinLayout.blockSize,
          byteCount: Int(count) &* PinLayout.blockSize)
    }
    setField(PinLayout.first, first &- count)
  }

  /// Calls `body` with a filter of all that readers hold now.
  func withHeldFilter(_ body: (HeldFilter) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: HeldFilter.words) { bits in
      let readers = unsafe ReaderList(table + EpochTable.readers)
      body(unsafe HeldFilter(readers, bits.baseAddress.unsafelyUnwrapped))
    }
  }
}
