import Platform
import Testing

@testable import Luge

@Suite struct SlabTests {
  private static func reclaimer() -> EpochReclaimer {
    var options = EpochReclaimer.Options()
    options.slabs = true
    return EpochReclaimer(options)
  }

  @unsafe private struct Block {
    var address: UnsafeMutableRawPointer
    var bytes: Int
    var mark: UInt8
  }

  @unsafe private static func isIntact(_ block: Block) -> Bool {
    var index = 0
    while unsafe index < block.bytes {
      if unsafe block.address.load(fromByteOffset: index, as: UInt8.self) != block.mark {
        return false
      }
      index += 1
    }
    return true
  }

  /// Random blocks of all sizes: aligned, apart from each other, counted to the byte.
  @Test func blocksDoNotOverlap() throws {
    let epochs = Self.reclaimer()
    let pin = try epochs.pin()
    var random = TestRandom(5)
    var blocks: [Block] = unsafe []
    var expected = 0
    for turn in 0..<20_000 {
      if unsafe blocks.count < 300 || random.below(2) == 0 {
        let bytes = random.below(20) == 0 ? random.below(9000) + 1 : random.below(1100) + 1
        let address = unsafe pin.allocate(bytes)
        #expect(UInt(bitPattern: address) % 16 == 0)
        let mark = UInt8(truncatingIfNeeded: turn | 1)
        unsafe address.initializeMemory(as: UInt8.self, repeating: mark, count: bytes)
        unsafe blocks.append(Block(address: address, bytes: bytes, mark: mark))
        expected += SizeClass.accounted(bytes)
      } else {
        let block = unsafe blocks.remove(at: random.below(blocks.count))
        #expect(unsafe Self.isIntact(block))
        unsafe pin.free(block.address, block.bytes)
        expected -= unsafe SizeClass.accounted(block.bytes)
      }
      #expect(epochs.account.bytes == expected)
    }
    while let block = unsafe blocks.popLast() {
      #expect(unsafe Self.isIntact(block))
      unsafe pin.free(block.address, block.bytes)
    }
    #expect(epochs.account.bytes == 0 && epochs.account.slabBytes > 0)
    pin.end()
  }

  /// What one thread allocates and another frees comes back to the first.
  @Test func freeBlocksTravel() throws {
    let epochs = Self.reclaimer()
    let threads = RealThreads()
    let handed = unsafe Handed()
    for _ in 0..<50 {
      let pin = try epochs.pin()
      for _ in 0..<1000 { unsafe handed.blocks.append(pin.allocate(144)) }
      pin.end()
      let other = try threads.spawn("freeing") {
        guard let pin = try? epochs.pin() else { return }
        while let block = unsafe handed.blocks.popLast() { unsafe pin.free(block, 144) }
        pin.end()
      }
      try threads.join(other)
      #expect(epochs.account.bytes == 0)
    }
    // A round needs 9 slabs; what caches hold back is a few more.
    #expect(epochs.account.slabBytes <= 4 * Slab.firstChunk)
  }

  /// Many blocks of one size, then of another: what the first ones lay in goes back, and what cannot
  /// counts as in use.
  @Test func emptySlabsGoBack() throws {
    let epochs = Self.reclaimer()
    let limit = 4 << 20
    epochs.account.setSystemLimit(limit)
    let pin = try epochs.pin()
    defer { pin.end() }
    var blocks: [UnsafeMutableRawPointer] = unsafe []
    while epochs.account.bytes < limit * 7 / 8 { unsafe blocks.append(pin.allocate(144)) }
    let before = epochs.account.taken
    #expect(before <= limit)
    // Every eighth stays, so few slabs become empty; all of the second half go.
    var kept: [UnsafeMutableRawPointer] = unsafe []
    for index in unsafe 0..<blocks.count {
      if unsafe index % 8 == 0 && index < blocks.count / 2 {
        unsafe kept.append(blocks[index])
      } else {
        unsafe pin.free(blocks[index], 144)
      }
    }
    #expect(epochs.account.taken == before)
    var others: [UnsafeMutableRawPointer] = unsafe []
    for turn in 0..<(limit * 3 / 8 / 512) {
      let block = unsafe pin.allocate(512)
      unsafe block.initializeMemory(as: UInt8.self, repeating: UInt8(turn & 0xFF), count: 512)
      unsafe others.append(block)
    }
    #expect(epochs.account.taken <= limit + Slab.size)
    // Beyond that, what is over counts more than once.
    for _ in 0..<(limit / 4 / 512) { unsafe others.append(pin.allocate(512)) }
    pin.publish()
    let over = epochs.account.taken - limit
    #expect(over > 0 && epochs.account.bytes < limit)
    #expect(epochs.account.estimate >= epochs.account.bytes + 3 * over)
    for unsafe block in unsafe kept { unsafe pin.free(block, 144) }
    for unsafe block in unsafe others { unsafe pin.free(block, 512) }
    #expect(epochs.account.bytes == 0)
    pin.trim()
    // What is left lies in this thread's caches, and in the slabs that it carves.
    #expect(epochs.account.taken <= limit / 4)
  }

  @unsafe private final class Handed: @unchecked Sendable {
    var blocks: [UnsafeMutableRawPointer] = unsafe []
  }

  /// Threads that allocate, free and retire at once: no block is given out twice, the count is
  /// exact.
  @Test func threadsShareBlocks() throws {
    let epochs = Self.reclaimer()
    let threads = RealThreads()
    let exchange = (0..<16).map { _ in Cell() }
    let wrong = AtomicWord(0)
    var running: [ThreadID] = []
    for number in 0..<4 {
      running.append(
        try threads.spawn("worker-\(number)") {
          var random = TestRandom(UInt64(number))
          for turn in 0..<20_000 {
            guard let pin = try? epochs.pin() else { return }
            let bytes = 32 + 16 * random.below(4)
            let block = unsafe pin.allocate(bytes)
            let mark = UInt64(number) << 32 | UInt64(turn)
            unsafe block.storeBytes(of: mark, as: UInt64.self)
            unsafe block.storeBytes(of: ~mark, toByteOffset: 16, as: UInt64.self)
            unsafe block.storeBytes(of: UInt64(bytes), toByteOffset: 8, as: UInt64.self)
            let address = UInt64(UInt(bitPattern: block))
            let former = exchange[random.below(16)].word.exchange(address)
            if let old = unsafe UnsafeMutableRawPointer(bitPattern: UInt(former)) {
              let mark = unsafe old.load(as: UInt64.self)
              let size = unsafe old.load(fromByteOffset: 8, as: UInt64.self)
              if unsafe ~mark != old.load(fromByteOffset: 16, as: UInt64.self) {
                _ = wrong.fetchAdd(1)
              }
              if turn % 2 == 0 {
                unsafe pin.free(old, Int(size))
              } else {
                unsafe pin.retire(old, Int(size))
              }
            }
            pin.end()
          }
        })
    }
    for thread in running { try threads.join(thread) }
    #expect(wrong.load() == 0)
    let pin = try epochs.pin()
    for cell in exchange {
      guard let old = unsafe UnsafeMutableRawPointer(bitPattern: UInt(cell.word.load())) else {
        continue
      }
      unsafe pin.free(old, Int(old.load(fromByteOffset: 8, as: UInt64.self)))
    }
    pin.end()
    epochs.freeAll()
    #expect(epochs.account.bytes == 0)
  }

  private final class Cell: Sendable { let word = AtomicWord(0) }

  /// The estimate follows within the grain; charges count at once.
  @Test func estimateFollows() throws {
    let epochs = Self.reclaimer()
    epochs.account.setGrain(1000)
    let pin = try epochs.pin()
    var blocks: [UnsafeMutableRawPointer] = unsafe []
    for _ in 0..<500 {
      unsafe blocks.append(pin.allocate(160))
      #expect(abs(epochs.account.estimate - epochs.account.bytes) < 1160)
    }
    epochs.account.charge(5000)
    #expect(epochs.account.bytes == 85_000)
    while let block = unsafe blocks.popLast() {
      unsafe pin.free(block, 160)
      #expect(abs(epochs.account.estimate - epochs.account.bytes) < 1160)
    }
    epochs.account.charge(-5000)
    #expect(epochs.account.bytes == 0)
    pin.end()
  }

  /// A thread that retired much and never comes back: others free it.
  @Test func retiredBlocksOfAnIdleThreadAreFreed() throws {
    let epochs = Self.reclaimer()
    let threads = RealThreads()
    let holder = try epochs.pin()
    let idle = try threads.spawn("idle") {
      for _ in 0..<4000 {
        guard let pin = try? epochs.pin() else { return }
        unsafe pin.retire(pin.allocate(64), 64)
        pin.end()
      }
    }
    try threads.join(idle)
    #expect(epochs.account.bytes == 4000 * 64)
    holder.end()
    for _ in 0..<10 { try epochs.reclaim() }
    #expect(epochs.account.bytes < 1300 * 64)
    epochs.freeAll()
    #expect(epochs.account.bytes == 0)
  }
}
