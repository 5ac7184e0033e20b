internal import Platform

// Hazards: single blocks that stay though no pin holds them, for views handed to callers.

/// Keeps one block from being freed for as long as it lives: what a caller's view of a value rests
/// on while user code runs. May be given up on another thread than it was made on.
///
/// Safe because the word that it clears lies in a place, which lives as long as the reclaimer; who
/// holds the guard keeps the reclaimer alive.
@safe struct HazardGuard: ~Copyable, Sendable {
  private let word: WordRef

  @inline(__always)
  init(_ word: WordRef) { self.word = word }

  @inline(__always)
  deinit { word.store(0) }
}

/// More hazards of one place, for callers that hold many views at once.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0 31*8 hazards
///    248    8 address of the next such block, or 0
/// ```
private enum HazardBlock {
  static let count = 31
  static let next = 248
  static let bytes = 256
}

extension Pin {
  /// Keeps the block at `address`, which this pin holds, until the guard is given up. The pin may
  /// end meanwhile.
  ///
  /// The hazard is stored before the pin ends. Whoever finds the pin ended finds the hazard, and
  /// whoever does not leaves the block alone.
  @inline(__always)
  func protect(_ address: UInt64) -> HazardGuard { HazardGuard(hazard(on: address)) }

  /// The same for a caller that clears the word by itself.
  @inline(__always)
  func hazard(on address: UInt64) -> WordRef {
    var index = 0
    while index < PinLayout.hazardCount {
      let word = unsafe WordRef(place, PinLayout.hazards &+ 8 &* index)
      // Only this thread makes hazards here; others at most clear them, and what they looked at before
      // must be over when the word says something else.
      if word.load() == 0 {
        word.store(address)
        return word
      }
      index &+= 1
    }
    return hazardFurther(on: address)
  }

  @inline(never)
  private func hazardFurther(on address: UInt64) -> WordRef {
    var link = unsafe WordRef(place, PinLayout.moreHazards)
    while let block = unsafe Slab.pointer(link.load()) {
      var index = 0
      while index < HazardBlock.count {
        let word = unsafe WordRef(block, 8 &* index)
        if word.load() == 0 {
          word.store(address)
          return word
        }
        index &+= 1
      }
      link = unsafe WordRef(block, HazardBlock.next)
    }
    let block = UnsafeMutableRawPointer.allocate(byteCount: HazardBlock.bytes, alignment: 64)
    unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: HazardBlock.bytes)
    let word = unsafe WordRef(block, 0)
    word.store(address)
    link.store(UInt64(UInt(bitPattern: block)))
    return word
  }

  /// Frees the blocks of `hazardFurther`, with the place.
  func freeHazardBlocks() {
    var rest = unsafe Slab.pointer(field(PinLayout.moreHazards))
    while let block = unsafe rest {
      unsafe rest = Slab.pointer(block.load(fromByteOffset: HazardBlock.next, as: UInt64.self))
      unsafe block.deallocate()
    }
  }
}

/// All hazards at one moment, what readers hold, and a bound by the oldest pin: what a reclaim goes by.
///
/// Of each place the pin is read before the hazards, because a hazard is stored before the pin that
/// covers it ends; and all pins before what readers hold, because a reader goes from thread to
/// thread.
///
/// Safe because the addresses lie in memory of the place that it was made for, and it is used up
/// before the next is made there.
@safe struct HazardSet {
  /// What was retired in this epoch or later stays: that of the oldest pin, or the one given.
  let bound: UInt64
  private let addresses: UnsafeMutablePointer<UInt64>
  private let count: Int
  private let held: HeldFilter

  /// Looks at all places, and keeps what it sees in memory of `pin`'s. `before`: the epoch of now, unless
  /// nobody retires anything meanwhile.
  init(seenBy pin: Pin, before now: UInt64 = .max) {
    let table = unsafe pin.table
    unsafe EpochTable.barrier(table)
    let used = unsafe Int(WordRef(table, EpochTable.used).loadSequential())
    var oldest = now
    var found = 0
    var index = 0
    while index < used {
      if let place = unsafe EpochTable.place(table, index) {
        let pinned = unsafe WordRef(place, PinLayout.pin).loadSequential()
        if pinned != 0 && pinned < oldest { oldest = pinned }
        found = unsafe HazardSet.collect(
          place, PinLayout.hazards, PinLayout.hazardCount, pin, found)
        var more = unsafe Slab.pointer(WordRef(place, PinLayout.moreHazards).load())
        while let block = unsafe more {
          found = unsafe HazardSet.collect(block, 0, HazardBlock.count, pin, found)
          unsafe more = Slab.pointer(WordRef(block, HazardBlock.next).load())
        }
      }
      index &+= 1
    }
    bound = oldest
    count = found
    unsafe addresses = HazardSet.room(pin)
    held = HeldFilter(unsafe ReaderList(table + EpochTable.readers), seenBy: pin)
  }

  private static func room(_ pin: Pin) -> UnsafeMutablePointer<UInt64> {
    // Looked at only below `count`, so any address will do while there is none.
    unsafe UnsafeMutablePointer(bitPattern: UInt(pin.field(PinLayout.seenHazards)))
      ?? UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
  }

  /// Adds the hazards of `words` words to the room, in order of address.
  @unsafe
  private static func collect(
    _ base: UnsafeMutableRawPointer, _ offset: Int, _ words: Int, _ pin: Pin, _ before: Int
  ) -> Int {
    var found = before
    var index = 0
    while index < words {
      let address = unsafe WordRef(base, offset &+ 8 &* index).load()
      index &+= 1
      if address == 0 { continue }
      if found == Int(pin.field(PinLayout.seenCapacity)) { grow(pin, found) }
      let room = unsafe room(pin)
      var place = found
      while unsafe place > 0 && room[place &- 1] > address {
        unsafe room[place] = room[place &- 1]
        place &-= 1
      }
      unsafe room[place] = address
      found &+= 1
    }
    return found
  }

  private static func grow(_ pin: Pin, _ used: Int) {
    let capacity = max(16, 2 * used)
    let new = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
    let old = unsafe room(pin)
    unsafe new.initialize(from: old, count: used)
    if pin.field(PinLayout.seenHazards) != 0 { unsafe old.deallocate() }
    pin.setField(PinLayout.seenHazards, UInt64(UInt(bitPattern: new)))
    pin.setField(PinLayout.seenCapacity, UInt64(capacity))
  }

  /// No hazard names anything, and no reader holds anything.
  var isEmpty: Bool { count == 0 && !held.holdsAny }

  /// Calls `body` with every address, in no order.
  func visit(_ body: (UInt64) -> Void) {
    var index = 0
    while index < count {
      body(unsafe addresses[index])
      index += 1
    }
    held.visit(body)
  }

  @inline(__always)
  func contains(_ address: UInt64) -> Bool {
    held.contains(address) || (count != 0 && search(address))
  }

  @inline(never)
  private func search(_ address: UInt64) -> Bool {
    var low = 0
    var high = count
    while low < high {
      let middle = (low &+ high) >> 1
      if unsafe addresses[middle] < address { low = middle &+ 1 } else { high = middle }
    }
    return unsafe low < count && addresses[low] == address
  }
}
