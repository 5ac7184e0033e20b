import EngineKit
import Platform
import Testing

/// Real threads on one engine. What is asserted holds for every interleaving.
@Suite struct ConcurrentTests {
  /// Runs one body a thread, waits for all, and answers what they threw.
  private func run(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Void
  ) throws -> UInt64 {
    let threads = RealThreads()
    let failed = AtomicWord(0)
    var ids: [ThreadID] = []
    for thread in 0..<count {
      ids.append(
        try threads.spawn("client-\(thread)") {
          do { try body(thread) } catch { _ = failed.fetchAdd(1) }
        })
    }
    for id in ids { try threads.join(id) }
    return failed.load()
  }

  @Test(arguments: Subject.having([.concurrentClients, .pops]))
  func nothingIsPoppedTwice(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      try engine.load(
        (0..<600).map { Entry([UInt8($0 >> 8), UInt8($0 & 255)], []) }, into: .default)
      let taken = AtomicWord(0)
      let sum = AtomicWord(0)
      let failed = try run(3) { thread in
        while true {
          let entry =
            thread == 1
            ? try engine.popLast(.all, in: .default) : try engine.popFirst(.all, in: .default)
          guard let entry else { return }
          _ = taken.fetchAdd(1)
          _ = sum.fetchAdd(UInt64(entry.key[0]) << 8 | UInt64(entry.key[1]))
        }
      }
      #expect(failed == 0 && taken.load() == 600 && sum.load() == 600 * 599 / 2)
      #expect(try engine.count(in: .default) == 0)
    }
  }

  @Test(arguments: Subject.having([.concurrentClients, .compareExchange]))
  func noUpdateIsLost(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let failed = try run(3) { _ in
        for turn in 0..<200 {
          _ = try engine.update([UInt8(turn % 2)], in: .default) { old in
            let number = old.map { Int($0[0]) << 8 | Int($0[1]) } ?? 0
            return [UInt8((number + 1) >> 8), UInt8((number + 1) & 255)]
          }
        }
      }
      #expect(failed == 0)
      for key in 0..<2 as Range<UInt8> {
        #expect(try engine.get([key], in: .default) == [UInt8(300 >> 8), UInt8(300 & 255)])
      }
    }
  }

  /// What one batch wrote is there whole, or not at all, in every scan and snapshot.
  @Test(arguments: Subject.having([.concurrentClients, .batches, .snapshotScans]))
  func scansSeeWholeBatches(_ subject: Subject) throws {
    try subject.withEngine { engine throws in
      let keys = (0..<8).map { Bytes([UInt8($0 * 30)]) }
      let torn = AtomicWord(0)
      let working = AtomicWord(2)
      let failed = try run(4) { thread in
        if thread < 2 {
          for turn in 0..<150 {
            let value = [UInt8(thread), UInt8(turn)]
            try engine.apply(keys.map { BatchWrite($0, turn % 20 == 19 ? nil : value) })
          }
          _ = working.fetchSubtract(1)
          return
        }
        while working.load() > 0 {
          let direction: Direction = thread == 2 ? .forward : .backward
          let entries = try engine.scan(.all, direction, limit: .max, in: .default)
          let isWhole =
            entries.isEmpty
            || (entries.count == keys.count && entries.allSatisfy { $0.value == entries[0].value })
          if !isWhole { _ = torn.fetchAdd(1) }
        }
      }
      #expect(failed == 0 && torn.load() == 0)
    }
  }
}
