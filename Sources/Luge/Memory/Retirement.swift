internal import Platform

// Retired blocks: they can no longer be reached, and are freed once no pin and no hazard holds them.

/// A retired block in an array.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 address
///      8    8 bytes
///     16    8 epoch of its retirement
/// ```
enum RetiredBlock {
  static let bytes = 24
  /// Blocks between two tries to reclaim. Few where interleavings are explored: what the first of three writes
  /// replaces is to be freed by the second.
  #if SchedulePoints
    static let batch: UInt64 = 1
  #else
    static let batch: UInt64 = 128
  #endif
  /// Bytes from which one block alone is worth a try.
  static let large = 1 << 16
  /// Grains of the account that a thread may keep back.
  static let grains: UInt64 = 16
  /// Blocks still held after a try from which a thread gives them away: it may never come back.
  #if SchedulePoints
    static let many: UInt64 = 8
  #else
    static let many: UInt64 = 1024
  #endif
}

/// Retired blocks that their thread gave away: anyone may free them.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 next bag, or 0
///      8    8 blocks in it
///     16 24*n the blocks
/// ```
enum RetiredBag {
  static let count = 8
  static let header = 16
}

extension Pin {
  /// Hands over a block that can no longer be reached; it is freed when every pin that began
  /// before now has ended, and no hazard names it.
  @unsafe
  func retire(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let epoch = unsafe WordRef(table, EpochTable.epoch).loadSequential()
    append(UInt64(UInt(bitPattern: pointer)), UInt64(bytes), epoch)
    if field(PinLayout.end) > field(PinLayout.nextReclaim) || bytes >= RetiredBlock.large
      || holdsTooMuch
    {
      return reclaim()
    }
    #if SchedulePoints
      // The next try, in the next pin, is to find this retired before.
      _ = unsafe WordRef(table, EpochTable.epoch).fetchAdd(1)
    #endif
  }

  /// Whether what this thread keeps back shows beside the memory budget: if it does nothing for a
  /// while, nobody else can free it.
  @inline(__always)
  private var holdsTooMuch: Bool {
    let grain = unsafe WordRef(table, EpochTable.grain).loadRelaxed()
    return field(PinLayout.retiredBytes) > grain &* RetiredBlock.grains
  }

  private func append(_ address: UInt64, _ bytes: UInt64, _ epoch: UInt64) {
    if field(PinLayout.end) == field(PinLayout.capacity) { makeRoom() }
    let end = field(PinLayout.end)
    let block = unsafe blocks + Int(end) &* RetiredBlock.bytes
    unsafe block.storeBytes(of: address, as: UInt64.self)
    unsafe block.storeBytes(of: bytes, toByteOffset: 8, as: UInt64.self)
    unsafe block.storeBytes(of: epoch, toByteOffset: 16, as: UInt64.self)
    setField(PinLayout.end, end &+ 1)
    setField(PinLayout.retiredBytes, field(PinLayout.retiredBytes) &+ bytes)
  }

  private var blocks: UnsafeMutableRawPointer {
    unsafe Slab.pointer(field(PinLayout.retired)).unsafelyUnwrapped
  }

  /// Moves the blocks to the front, or to an array twice as large.
  private func makeRoom() {
    let (first, end) = (field(PinLayout.first), field(PinLayout.end))
    let capacity = field(PinLayout.capacity)
    let live = Int(end &- first) &* RetiredBlock.bytes
    let old = unsafe Slab.pointer(field(PinLayout.retired))
    if let old = unsafe old, first > capacity / 2 {
      unsafe old.copyMemory(from: old + Int(first) &* RetiredBlock.bytes, byteCount: live)
    } else {
      let grown = capacity == 0 ? 256 : capacity &* 2
      let new = UnsafeMutableRawPointer.allocate(
        byteCount: Int(grown) &* RetiredBlock.bytes, alignment: 16)
      if let old = unsafe old {
        unsafe new.copyMemory(from: old + Int(first) &* RetiredBlock.bytes, byteCount: live)
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

  /// Frees retired blocks that nothing holds any more: this thread's, and some given away.
  @inline(never)
  func reclaim() { reclaim(as: lookAround()) }

  /// Looks at all pins and hazards, for `reclaim`. What is retired after this is not freed by it, though no
  /// pin was seen: others may give away, between look and reclaim, what somebody has reached, and
  /// holds, since the look.
  func lookAround() -> HazardSet {
    // Our pins included, so a block retired in this pin waits for the next try.
    let now = unsafe WordRef(table, EpochTable.epoch).fetchAdd(1) &+ 1
    return HazardSet(seenBy: self, before: now)
  }

  /// The same, by a look of this place's.
  func reclaim(as hazards: HazardSet) {
    freeBlocks(before: hazards.bound, hazards)
    if field(PinLayout.end) &- field(PinLayout.first) >= RetiredBlock.many || holdsTooMuch {
      giveBlocks()
    }
    freeBags(before: hazards.bound, hazards)
    setField(PinLayout.nextReclaim, field(PinLayout.end) &+ RetiredBlock.batch)
  }

  /// Frees this place's blocks retired in an epoch before `epoch`; one that a hazard names goes to
  /// the end of the line.
  func freeBlocks(before epoch: UInt64, _ hazards: HazardSet) {
    if hazards.isEmpty { return freeUnheld(before: epoch) }
    var first = field(PinLayout.first)
    var end = field(PinLayout.end)
    while first < end {
      let block = unsafe blocks + Int(first) &* RetiredBlock.bytes
      let retired = unsafe block.load(fromByteOffset: 16, as: UInt64.self)
      if retired >= epoch { break }
      let address = unsafe block.load(as: UInt64.self)
      let bytes = unsafe block.load(fromByteOffset: 8, as: UInt64.self)
      first &+= 1
      setField(PinLayout.first, first)
      setField(PinLayout.retiredBytes, field(PinLayout.retiredBytes) &- bytes)
      if hazards.contains(address) {
        // The line stays in order: no block in it is of a later epoch than now.
        append(address, bytes, unsafe WordRef(table, EpochTable.epoch).loadSequential())
        let moved = field(PinLayout.first) &- first
        first &+= moved
        end &+= moved
        continue
      }
      unsafe free(Slab.pointer(address).unsafelyUnwrapped, Int(bytes))
    }
  }

  /// The same where no hazard names anything and no reader holds anything.
  private func freeUnheld(before epoch: UInt64) {
    var first = field(PinLayout.first)
    let end = field(PinLayout.end)
    var bytes: UInt64 = 0
    while first < end {
      let block = unsafe blocks + Int(truncatingIfNeeded: first) &* RetiredBlock.bytes
      if unsafe block.load(fromByteOffset: 16, as: UInt64.self) >= epoch { break }
      let size = unsafe block.load(fromByteOffset: 8, as: UInt64.self)
      let address = unsafe block.load(as: UInt64.self)
      first &+= 1
      bytes &+= size
      unsafe free(Slab.pointer(address).unsafelyUnwrapped, Int(truncatingIfNeeded: size))
    }
    setField(PinLayout.first, first)
    setField(PinLayout.retiredBytes, field(PinLayout.retiredBytes) &- bytes)
  }

  // MARK: Given away

  /// Puts all blocks of this place into a bag that any thread may empty.
  private func giveBlocks() {
    let first = field(PinLayout.first)
    let count = field(PinLayout.end) &- first
    if count == 0 { return }
    let live = Int(count) &* RetiredBlock.bytes
    let bag = UnsafeMutableRawPointer.allocate(
      byteCount: RetiredBag.header &+ live, alignment: 16)
    unsafe bag.storeBytes(of: count, toByteOffset: RetiredBag.count, as: UInt64.self)
    let source = unsafe blocks + Int(first) &* RetiredBlock.bytes
    unsafe (bag + RetiredBag.header).copyMemory(from: source, byteCount: live)
    setField(PinLayout.first, 0)
    setField(PinLayout.end, 0)
    setField(PinLayout.retiredBytes, 0)
    unsafe Slab.push(WordRef(table, EpochTable.bags), first: bag, last: bag, link: 0)
  }

  /// Frees what it may of everything given away. `epoch` is not above the one of the moment at which
  /// `hazards` was looked at.
  func freeBags(before epoch: UInt64, _ hazards: HazardSet) {
    let stack = unsafe WordRef(table, EpochTable.bags)
    if stack.load() == 0 { return }
    // All at once: a bag that is still held must not hide those beneath it.
    var rest = unsafe Slab.pointer(stack.exchange(0))
    while let bag = unsafe rest {
      unsafe rest = Slab.pointer(bag.load(as: UInt64.self))
      unsafe freeBag(bag, before: epoch, hazards)
    }
  }

  /// Frees what it may of one bag, and puts back the rest.
  @unsafe
  private func freeBag(
    _ bag: UnsafeMutableRawPointer, before epoch: UInt64, _ hazards: HazardSet
  ) {
    let count = unsafe bag.load(fromByteOffset: RetiredBag.count, as: UInt64.self)
    var kept: UInt64 = 0
    var index: UInt64 = 0
    while index < count {
      let block = unsafe bag + RetiredBag.header + Int(index) &* RetiredBlock.bytes
      let address = unsafe block.load(as: UInt64.self)
      let retired = unsafe block.load(fromByteOffset: 16, as: UInt64.self)
      if retired >= epoch || hazards.contains(address) {
        let target = unsafe bag + RetiredBag.header + Int(kept) &* RetiredBlock.bytes
        unsafe target.copyMemory(from: block, byteCount: RetiredBlock.bytes)
        kept &+= 1
      } else {
        let bytes = unsafe block.load(fromByteOffset: 8, as: UInt64.self)
        unsafe free(Slab.pointer(address).unsafelyUnwrapped, Int(bytes))
      }
      index &+= 1
    }
    if kept == 0 { return unsafe bag.deallocate() }
    unsafe bag.storeBytes(of: kept, toByteOffset: RetiredBag.count, as: UInt64.self)
    unsafe Slab.push(WordRef(table, EpochTable.bags), first: bag, last: bag, link: 0)
  }
}
