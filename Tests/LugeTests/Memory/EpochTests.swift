import Platform
import Synchronization
import Testing

@testable import Luge

@Suite struct EpochTests {
  /// Retires enough blocks for several tries to reclaim.
  static func retireMany(_ epochs: EpochReclaimer, _ count: Int = 300) throws {
    for _ in 0..<count {
      let pin = try epochs.pin()
      unsafe pin.retire(pin.allocate(64), 64)
      pin.end()
    }
  }

  /// Pins with and without a barrier of their own, blocks in slabs and not.
  struct Way: Sendable, CustomStringConvertible {
    var relaxedPins: Bool
    var slabs: Bool
    var description: String { "relaxed \(relaxedPins), slabs \(slabs)" }

    var reclaimer: EpochReclaimer {
      var options = EpochReclaimer.Options()
      // Where the system has no barrier there is only one way.
      options.relaxedPins = relaxedPins && ProcessBarrier.isAvailable
      options.slabs = slabs
      return EpochReclaimer(options)
    }
  }

  static let everyWay = [
    Way(relaxedPins: false, slabs: false), Way(relaxedPins: false, slabs: true),
    Way(relaxedPins: true, slabs: false), Way(relaxedPins: true, slabs: true),
  ]

  @Test func countsEveryByte() throws {
    let epochs = EpochReclaimer()
    let pin = try epochs.pin()
    #expect(epochs.allocatedBytes == 0)
    let first = unsafe pin.allocate(100)
    let second = unsafe pin.allocate(28)
    // As the size classes round them.
    #expect(epochs.allocatedBytes == 112 + 32)
    unsafe pin.free(first, 100)
    #expect(epochs.allocatedBytes == 32)
    unsafe pin.retire(second, 28)
    #expect(epochs.allocatedBytes == 32)
    pin.end()
    epochs.freeAll()
    #expect(epochs.allocatedBytes == 0)
  }

  @Test(arguments: everyWay)
  func reclaimsWhenNobodyIsPinned(_ way: Way) throws {
    let epochs = way.reclaimer
    try Self.retireMany(epochs)
    // Tries come every 128 blocks, and the newest blocks wait for the next one.
    #expect(epochs.allocatedBytes < 200 * 64 && epochs.allocatedBytes > 0)
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 0)
  }

  /// What another thread's pin may reach stays; what was retired before it began goes.
  @Test(arguments: everyWay)
  func aPinHoldsWhatItMayReach(_ way: Way) throws {
    let epochs = way.reclaimer
    let threads = RealThreads()
    let stage = AtomicWord(0)
    let failed = AtomicWord(0)
    let other = try threads.spawn("pinned") {
      guard let pin = try? epochs.pin() else {
        failed.store(1)
        return stage.store(1)
      }
      // Nested pins count as one.
      pin.begin()
      pin.end()
      stage.store(1)
      while stage.load() != 2 { try? threads.backOff(attempt: 10) }
      pin.end()
    }
    while stage.load() != 1 { try threads.backOff(attempt: 10) }
    #expect(failed.load() == 0)
    try Self.retireMany(epochs)
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 300 * 64)
    stage.store(2)
    try threads.join(other)
    try epochs.reclaim()
    #expect(epochs.allocatedBytes == 0)
  }

  @Test(arguments: everyWay)
  func quiescenceWaitsForThePinned(_ way: Way) throws {
    let epochs = way.reclaimer
    let threads = RealThreads()
    let stage = AtomicWord(0)
    let ended = AtomicWord(0)
    let other = try threads.spawn("pinned") {
      let pin = try? epochs.pin()
      stage.store(1)
      var turns = 0
      while turns < 40 {
        try? threads.backOff(attempt: 21)
        turns += 1
      }
      ended.store(1)
      pin?.end()
    }
    while stage.load() != 1 { try threads.backOff(attempt: 10) }
    try epochs.waitForQuiescence(threads)
    #expect(ended.load() == 1)
    try threads.join(other)
    // Nobody is pinned: at once.
    try epochs.waitForQuiescence(threads)
  }

  /// Readers follow a shared pointer to blocks that say who they are; one writer replaces and
  /// retires them. No reader finds a block that has become something else.
  @Test(arguments: everyWay)
  func readersNeverSeeAFreedBlock(_ way: Way) throws {
    let epochs = way.reclaimer
    let threads = RealThreads()
    let shared = AtomicWord(0)
    let done = AtomicWord(0)
    let mismatches = AtomicWord(0)
    let first = try epochs.pin()
    shared.store(Self.stamped(first, 1))
    first.end()
    var readers: [ThreadID] = []
    for number in 0..<2 {
      readers.append(
        try threads.spawn("reader-\(number)") {
          while done.load() == 0 {
            guard let pin = try? epochs.pin() else { continue }
            let address = shared.load()
            let a = unsafe UnsafeRawPointer(bitPattern: UInt(address))!.load(as: UInt64.self)
            let b = unsafe UnsafeRawPointer(bitPattern: UInt(address))!.load(
              fromByteOffset: 56, as: UInt64.self)
            if a != ~b { _ = mismatches.fetchAdd(1) }
            pin.end()
          }
        })
    }
    for turn in 2..<20_000 as Range<UInt64> {
      let pin = try epochs.pin()
      let old = shared.exchange(Self.stamped(pin, turn))
      unsafe pin.retire(UnsafeMutableRawPointer(bitPattern: UInt(old))!, 64)
      pin.end()
    }
    done.store(1)
    for reader in readers { try threads.join(reader) }
    #expect(mismatches.load() == 0)
    let last = try epochs.pin()
    unsafe last.retire(UnsafeMutableRawPointer(bitPattern: UInt(shared.load()))!, 64)
    last.end()
    epochs.freeAll()
    #expect(epochs.allocatedBytes == 0)
  }

  private static func stamped(_ pin: Pin, _ number: UInt64) -> UInt64 {
    let block = unsafe pin.allocate(64)
    unsafe block.storeBytes(of: number, as: UInt64.self)
    unsafe block.storeBytes(of: ~number, toByteOffset: 56, as: UInt64.self)
    return UInt64(UInt(bitPattern: block))
  }
}
