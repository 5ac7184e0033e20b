internal import Platform

/// Reclaims memory that lock-free readers may still look at, and counts every byte of it.
///
/// An operation pins before it reads shared memory and ends the pin afterwards. A block that was
/// unlinked is *retired* with the epoch of that moment; it is freed once no pin that began in that
/// epoch or before still holds, and no hazard names it and no reader holds it. A pin takes the epoch, publishes it, and
/// only then reads; so whoever can reach a block has published an epoch not above the one with
/// which the block is retired later.
///
/// Invariants:
/// - A place is written only by the thread that holds its slot, except that `freeAll` and `deinit`
///   run when nobody is pinned any more.
/// - The epochs of a place's retired blocks ascend.
/// - Nobody waits while pinned: a thread that stops while pinned holds up all reclaim.
@safe final class EpochReclaimer: Sendable {
  // The table is shared memory of its own rules; the address never changes.
  nonisolated(unsafe) private let table: UnsafeMutableRawPointer

  /// How it works; chosen before the first pin.
  struct Options {
    /// Pins without a barrier of their own. Simulations and ThreadSanitizer see them only with one.
    var relaxedPins: Bool
    /// Small blocks in slabs; else each is an allocation that AddressSanitizer watches.
    var slabs = !Sanitizer.watchesAddresses
    /// Bytes that a thread may gain or lose before the others hear of it.
    var grain = 16 << 10

    init() {
      #if SchedulePoints
        relaxedPins = false
      #else
        relaxedPins = ProcessBarrier.isAvailable && !seamIsArmed
      #endif
    }
  }

  init(_ options: Options = Options()) {
    unsafe table = UnsafeMutableRawPointer.allocate(byteCount: EpochTable.size, alignment: 64)
    unsafe table.initializeMemory(as: UInt8.self, repeating: 0, count: EpochTable.size)
    unsafe WordRef.initialize(table, EpochTable.epoch, 1)
    let flags =
      (options.relaxedPins ? EpochTable.relaxedPins : 0)
      | (options.slabs ? 0 : EpochTable.noSlabs)
    unsafe WordRef.initialize(table, EpochTable.flags, flags)
    unsafe WordRef.initialize(table, EpochTable.cachedBytes, UInt64(SizeClass.cachedBytes))
    unsafe WordRef.initialize(table, EpochTable.grain, UInt64(max(1, options.grain)))
  }

  deinit {
    let used = unsafe Int(WordRef(table, EpochTable.used).load())
    var index = 0
    while index < used {
      if let place = unsafe EpochTable.place(table, index) {
        let pin = unsafe Pin(place)
        // Whoever holds a guard keeps the reclaimer alive: there is none.
        let hazards = HazardSet(seenBy: pin)
        pin.freeBlocks(before: .max, hazards)
        pin.freeBags(before: .max, hazards)
        unsafe Slab.pointer(pin.field(PinLayout.retired))?.deallocate()
        unsafe Slab.pointer(pin.field(PinLayout.seenHazards))?.deallocate()
      }
      index += 1
    }
    index = 0
    while index < used {
      if let place = unsafe EpochTable.place(table, index) {
        unsafe Pin(place).freeHazardBlocks()
        unsafe place.deallocate()
      }
      index += 1
    }
    readers.destroy()
    unsafe Slab.freeAll(table)
    unsafe table.deallocate()
  }

  /// Who reads on between pins.
  @inline(__always)
  var readers: ReaderList { unsafe ReaderList(table + EpochTable.readers) }

  /// The way to the calling thread's place, for calls that should not count references.
  @inline(__always)
  var pins: PinTable { unsafe PinTable(table) }

  /// The calling thread's place, without pinning. Throws when too many threads are alive.
  @inline(__always)
  func place() throws(LugeError) -> Pin { try pins.place() }

  /// Begins a pin of the calling thread; pins nest. Each needs its `end()`.
  @inline(__always)
  func pin() throws(LugeError) -> Pin { try pins.pin() }

  /// What is allocated, for whoever bounds it.
  var account: MemoryAccount { unsafe MemoryAccount(table) }

  /// Bytes allocated and not yet freed, retired ones included. Exact when no thread allocates.
  var allocatedBytes: UInt64 { account.allocatedBytes }

  /// Frees what the calling thread has retired, as far as pins and hazards allow.
  func reclaim() throws(LugeError) { try place().reclaim() }

  /// The blocks that hazards name and readers hold now, for whoever frees what no operation can
  /// reach any more: one of these is to be retired instead.
  func protectedBlocks() throws(LugeError) -> ProtectedBlocks {
    ProtectedBlocks(HazardSet(seenBy: try place()))
  }

  /// The epoch of now, for `isHeldUp`.
  var epoch: UInt64 { unsafe WordRef(table, EpochTable.epoch).loadSequential() }

  /// Whether an operation that was pinned in that epoch still is: it holds back what was retired since.
  func isHeldUp(since epoch: UInt64) -> Bool { unsafe EpochTable.oldestPin(table) <= epoch }

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

  /// Frees everything retired, but what a hazard names or a reader holds. Only when no operation runs any more.
  func freeAll() {
    var index = 0
    while index < ThreadSlot.limit {
      if let place = unsafe EpochTable.place(table, index) {
        let pin = unsafe Pin(place)
        let hazards = HazardSet(seenBy: pin)
        pin.freeBlocks(before: .max, hazards)
        pin.freeBags(before: .max, hazards)
      }
      index += 1
    }
  }
}
