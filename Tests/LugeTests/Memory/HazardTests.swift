import Platform
import Testing

@testable import Luge

@Suite struct HazardTests {
  /// A block with a number at its start.
  private static func block(_ pin: Pin, _ number: UInt64, _ bytes: Int = 48) -> UInt64 {
    let block = unsafe pin.allocate(bytes)
    unsafe block.storeBytes(of: number, toByteOffset: 16, as: UInt64.self)
    return UInt64(UInt(bitPattern: block))
  }

  private static func number(_ address: UInt64) -> UInt64 {
    unsafe UnsafeRawPointer(bitPattern: UInt(address))!.load(fromByteOffset: 16, as: UInt64.self)
  }

  private static func retire(_ pin: Pin, _ address: UInt64, _ bytes: Int = 48) {
    unsafe pin.retire(UnsafeMutableRawPointer(bitPattern: UInt(address))!, bytes)
  }

  @Test(arguments: EpochTests.everyWay)
  func aHazardKeepsOneBlock(_ way: EpochTests.Way) throws {
    let epochs = way.reclaimer
    var pin = try epochs.pin()
    let held = Self.block(pin, 7)
    let other = Self.block(pin, 8)
    do {
      let guarded = pin.protect(held)
      Self.retire(pin, held)
      Self.retire(pin, other)
      pin.end()
      try epochs.reclaim()
      try epochs.reclaim()
      #expect(epochs.allocatedBytes == 48)
      epochs.freeAll()
      #expect(epochs.allocatedBytes == 48 && Self.number(held) == 7)
      // Blocks of its class that are made meanwhile lie elsewhere.
      pin = try epochs.pin()
      for number in 100..<400 as Range<UInt64> { Self.retire(pin, Self.block(pin, number)) }
      pin.end()
      try epochs.reclaim()
      #expect(Self.number(held) == 7)
      _ = consume guarded
    }
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 0)
  }

  /// More views at once than a place has words for; some are given up by another thread.
  @Test func manyHazards() throws {
    let epochs = EpochReclaimer()
    let pin = try epochs.pin()
    let addresses = (0..<200).map { Self.block(pin, UInt64($0)) }
    let kept = Kept()
    for address in addresses { kept.guards.append(Kept.Box(pin.protect(address))) }
    for address in addresses { Self.retire(pin, address) }
    pin.end()
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 200 * 48)
    for (index, address) in addresses.enumerated() {
      #expect(Self.number(address) == UInt64(index))
    }
    let threads = RealThreads()
    try threads.join(try threads.spawn("other") { kept.guards.removeFirst(150) })
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 50 * 48)
    for index in 150..<200 { #expect(Self.number(addresses[index]) == UInt64(index)) }
    kept.guards = []
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 0)
  }

  /// A reclaimer looks at pins and hazards; then somebody else pins, retires, holds one block by a hazard, and
  /// gives all away, because they are many. The look says nothing to them.
  @Test func whatIsGivenAwayAfterTheLookStays() throws {
    let epochs = EpochReclaimer()
    let place = try epochs.place()
    let look = place.lookAround()
    let kept = Kept()
    let held = AtomicWord(0)
    let threads = RealThreads()
    let count = RetiredBlock.many + 2 * RetiredBlock.batch
    let other = try threads.spawn("other") {
      guard let pin = try? epochs.pin() else { return }
      held.store(Self.block(pin, 7))
      kept.guards.append(Kept.Box(pin.protect(held.load())))
      Self.retire(pin, held.load())
      for number in 1..<count { Self.retire(pin, Self.block(pin, number)) }
      pin.end()
    }
    try threads.join(other)
    #expect(epochs.allocatedBytes == 48 * count)
    place.reclaim(as: look)
    #expect(epochs.allocatedBytes == 48 * count && Self.number(held.load()) == 7)
    // A new look sees that the pin has ended, and the hazard. (What was not given away stays its thread's.)
    try epochs.reclaim()
    #expect(epochs.allocatedBytes < 48 * count && Self.number(held.load()) == 7)
    kept.guards = []
    epochs.freeAll()
    #expect(epochs.allocatedBytes == 0)
  }

  /// Guards that threads hand on; only one thread at a time looks at it.
  final class Kept: @unchecked Sendable {
    final class Box {
      let hazard: HazardGuard
      init(_ hazard: consuming HazardGuard) { self.hazard = hazard }
    }
    var guards: [Box] = []
  }

  /// Readers protect what a shared word names, end the pin, and look at it for a while; a writer
  /// replaces and retires as fast as it can.
  @Test(arguments: EpochTests.everyWay)
  func protectedBlocksStayUnchanged(_ way: EpochTests.Way) throws {
    let epochs = way.reclaimer
    let threads = RealThreads()
    let shared = AtomicWord(0)
    let number = AtomicWord(1)
    let done = AtomicWord(0)
    let wrong = AtomicWord(0)
    let first = try epochs.pin()
    shared.store(Self.block(first, 1))
    first.end()
    var readers: [ThreadID] = []
    for index in 0..<3 {
      readers.append(
        try threads.spawn("reader-\(index)") {
          while done.load() == 0 {
            guard let pin = try? epochs.pin() else { continue }
            let address = shared.load()
            let hazard = pin.protect(address)
            pin.end()
            let seen = Self.number(address)
            for _ in 0..<20 {
              if Self.number(address) != seen || seen == 0 || seen > number.load() {
                _ = wrong.fetchAdd(1)
              }
              try? threads.backOff(attempt: 6)
            }
            _ = consume hazard
          }
        })
    }
    for turn in 2..<20_000 as Range<UInt64> {
      let pin = try epochs.pin()
      number.store(turn)
      Self.retire(pin, shared.exchange(Self.block(pin, turn)))
      pin.end()
    }
    done.store(1)
    for reader in readers { try threads.join(reader) }
    #expect(wrong.load() == 0)
    let last = try epochs.pin()
    Self.retire(last, shared.load())
    last.end()
    epochs.freeAll()
    #expect(epochs.allocatedBytes == 0)
  }
}
