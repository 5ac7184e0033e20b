internal import Platform

/// The shared table of one reclaimer.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 global epoch, from 1 up
///     64    8 number of places that have ever been used: all are below it
///    128  128 the readers (`ReaderList`)
///    256 8192 addresses of the places, by thread slot; 0 until first used
/// ```
enum EpochTable {
  static let epoch = 0
  static let used = 64
  static let readers = 128
  static let places = 256
  static var size: Int { places + 8 * ThreadSlot.limit }

  /// The least epoch in which a pin that still holds began; `UInt64.max` when none holds.
  @unsafe
  static func oldestPin(_ table: UnsafeMutableRawPointer) -> UInt64 {
    let used = unsafe Int(WordRef(table, EpochTable.used).loadSequential())
    var oldest = UInt64.max
    var index = 0
    while index < used {
      let bits = unsafe WordRef(table, places + 8 * index).load()
      if let place = unsafe UnsafeMutableRawPointer(bitPattern: UInt(bits)) {
        let pinned = unsafe WordRef(place, PinLayout.pin).loadSequential()
        if pinned != 0 && pinned < oldest { oldest = pinned }
      }
      index += 1
    }
    return oldest
  }
}

/// Reclaims memory that lock-free readers may still look at, and counts every byte of it.
///
/// An operation pins before it reads shared memory and ends the pin afterwards. A block that was
/// unlinked is *retired* with the epoch of that moment; it is freed once no pin that began in that
/// epoch or before still holds, and no reader holds its address (`Reader`). A pin takes the epoch, publishes it, and only then reads; so
/// whoever can reach a block has published an epoch not above the one with which the block is
/// retired later.
///
/// Invariants:
/// - A place is written only by the thread that holds its slot, except that `freeAll` and `deinit`
///   run when nobody is pinned any more.
/// - The epochs of a place's retired blocks ascend.
/// - Nobody waits while pinned: a thread that stops while pinned holds up all reclaim.
@safe final class EpochReclaimer: Sendable {
  // The table is shared memory of its own rules; the address never changes.
  nonisolated(unsafe) private let table: UnsafeMutableRawPointer

  init() {
    unsafe table = UnsafeMutableRawPointer.allocate(byteCount: EpochTable.size, alignment: 64)
    unsafe table.initializeMemory(as: UInt8.self, repeating: 0, count: EpochTable.size)
    unsafe WordRef.initialize(table, EpochTable.epoch, 1)
  }

  deinit {
    freeAll()
    var index = 0
    while index < ThreadSlot.limit {
      if let place = unsafe place(index) {
        let retired = unsafe Pin(place).field(PinLayout.retired)
        unsafe UnsafeMutableRawPointer(bitPattern: UInt(retired))?.deallocate()
        unsafe place.deallocate()
      }
      index += 1
    }
    readers.destroy()
    unsafe table.deallocate()
  }

  /// Who reads on between pins.
  @inline(__always)
  var readers: ReaderList { unsafe ReaderList(table + EpochTable.readers) }

  @inline(__always)
  private func place(_ slot: Int) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(
      bitPattern: UInt(WordRef(table, EpochTable.places + 8 * slot).load()))
  }

  /// The calling thread's place, without pinning. Throws when too many threads are alive.
  @inline(__always)
  func place() throws(LugeError) -> Pin {
    let slot = ThreadSlot.current
    if slot >= 0, let place = unsafe place(slot) { return unsafe Pin(place) }
    return try newPlace(slot)
  }

  @inline(never)
  private func newPlace(_ slot: Int) throws(LugeError) -> Pin {
    guard slot >= 0 else {
      throw LugeError(
        .resourceExhausted,
        "more than \(ThreadSlot.limit) threads are using the process's databases")
    }
    let place = UnsafeMutableRawPointer.allocate(byteCount: PinLayout.size, alignment: 64)
    unsafe place.initializeMemory(as: UInt8.self, repeating: 0, count: PinLayout.size)
    let pin = unsafe Pin(place)
    unsafe pin.setField(PinLayout.table, UInt64(UInt(bitPattern: table)))
    pin.setField(PinLayout.nextReclaim, PinLayout.batch)
    // Only the holder of the slot writes this entry, so a store is enough.
    unsafe WordRef(table, EpochTable.places + 8 * slot).store(UInt64(UInt(bitPattern: place)))
    let used = unsafe WordRef(table, EpochTable.used)
    while true {
      let now = used.load()
      if now > UInt64(slot) || used.compareExchange(expected: now, desired: UInt64(slot) + 1) {
        return pin
      }
    }
  }

  /// Begins a pin of the calling thread; pins nest. Each needs its `end()`.
  @inline(__always)
  func pin() throws(LugeError) -> Pin {
    let pin = try place()
    pin.begin()
    return pin
  }

  /// Bytes allocated and not yet freed, retired ones included.
  var allocatedBytes: UInt64 {
    var sum: UInt64 = 0
    var index = 0
    while index < ThreadSlot.limit {
      if let place = unsafe place(index) {
        sum &+= unsafe WordRef(place, PinLayout.bytes).loadRelaxed()
      }
      index += 1
    }
    return sum
  }

  /// Frees what the calling thread has retired, as far as pins allow.
  func reclaim() throws(LugeError) { try place().reclaim() }

  /// Waits until every operation that was pinned at the call has ended. The caller must not be
  /// pinned. Throws only when the process is killed.
  func waitForQuiescence(_ threads: any Threads) throws(LugeError) {
    let before = unsafe WordRef(table, EpochTable.epoch).fetchAdd(1)
    var attempt = 0
    while unsafe EpochTable.oldestPin(table) <= before {
      do { try threads.backOff(attempt: attempt) } catch {
        throw LugeError(error, doing: "waiting for operations to end")
      }
      attempt += 1
    }
  }

  /// Frees everything retired but what readers hold. Only when no operation runs any more.
  func freeAll() {
    var index = 0
    while index < ThreadSlot.limit {
      if let place = unsafe place(index) { unsafe Pin(place).freeBlocks(before: .max) }
      index += 1
    }
  }
}
