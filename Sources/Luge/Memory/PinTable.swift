internal import Platform

/// Where threads find their places in an epoch table.
///
/// Safe because the table lives as long as its `EpochReclaimer`, which whoever keeps one of these
/// keeps too.
@safe struct PinTable: Sendable {
  // Shared memory of its own rules; the address never changes.
  nonisolated(unsafe) private let table: UnsafeMutableRawPointer

  @unsafe @inline(__always)
  init(_ table: UnsafeMutableRawPointer) { unsafe self.table = table }

  /// The calling thread's place, without pinning. Throws when too many threads are alive.
  @inline(__always)
  func place() throws(LugeError) -> Pin {
    let slot = ThreadSlot.current
    if slot >= 0, let place = unsafe EpochTable.place(table, slot) { return unsafe Pin(place) }
    return try newPlace(slot)
  }

  /// Begins a pin of the calling thread; pins nest. Each needs its `end()`.
  @inline(__always)
  func pin() throws(LugeError) -> Pin {
    let pin = try place()
    pin.begin()
    return pin
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
    let flags = unsafe WordRef(table, EpochTable.flags).load()
    unsafe pin.setField(PinLayout.table, UInt64(UInt(bitPattern: table)))
    pin.setField(PinLayout.flags, flags)
    pin.setField(PinLayout.slot, UInt64(slot))
    pin.setField(
      PinLayout.slabLimit, flags & EpochTable.noSlabs == 0 ? UInt64(SizeClass.last) : 0)
    pin.setField(PinLayout.nextReclaim, RetiredBlock.batch)
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
}
