import Platform
import Synchronization
import Testing

@testable import Luge

/// Real threads at once. What is asserted holds for every interleaving.
@Suite struct TreeConcurrencyTests {
  /// Every thread writes keys of its own among the others' and must always find what it wrote.
  @Test func ownedKeysKeepTheirValues() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let failures = Mutex<[String]>([])
    try world.run(4) { thread in
      var random = TestRandom(UInt64(100 + thread))
      var model = SortedModel()
      do {
        for _ in 0..<3000 {
          var key = random.key()
          key.append(UInt8(thread))
          let old: [UInt8]?
          let wanted: [UInt8]?
          switch random.below(4) {
          case 0, 1:
            let value = random.value()
            (old, wanted) = (try tree.put(key, value), model.set(key, value))
          case 2: (old, wanted) = (try tree.remove(key), model.set(key, nil))
          default: (old, wanted) = (try tree.get(key), model.get(key))
          }
          if old != wanted { failures.withLock { $0.append("\(thread): \(key)") } }
        }
        for entry in model.entries where try tree.get(entry.key) != entry.value {
          failures.withLock { $0.append("\(thread): lost \(entry.key)") }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    try Self.expectCleanEnd(world, [tree])
  }

  /// Counters raised by compare-exchange: no raise is lost and none counts twice.
  @Test func countersByCompareExchange() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let failures = Mutex<[String]>([])
    let raises = 1500
    try world.run(4) { thread in
      do {
        for turn in 0..<raises {
          let key: [UInt8] = [UInt8((turn + thread) % 3)]
          var present = try tree.get(key)
          while true {
            let raised = Self.number(present) + 1
            let result = try tree.exchange(key, present, Self.bytes(raised))
            if result.applied { break }
            present = result.old
          }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    var sum: UInt64 = 0
    for entry in try tree.entries() { sum += Self.number(entry.value) }
    #expect(sum == UInt64(4 * raises))
    #expect(failures.withLock { $0 } == [])
    try Self.expectCleanEnd(world, [tree])
  }

  static func number(_ bytes: [UInt8]?) -> UInt64 {
    var value: UInt64 = 0
    for byte in bytes ?? [] { value = value << 8 | UInt64(byte) }
    return value
  }

  static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }

  /// Each batch moves an amount between accounts in two trees, while single-key writers disturb it;
  /// the total, and every sum that a later single reader can form of one batch's keys, stays.
  @Test func batchesKeepTheTotal() throws {
    let world = try TreeWorld()
    let trees = [try world.tree(1), try world.tree(2)]
    let accounts = 12
    for account in 0..<accounts {
      for tree in trees { _ = try tree.put([UInt8(account)], Self.bytes(1000)) }
    }
    let failures = Mutex<[String]>([])
    let done = AtomicWord(0)
    try world.run(4) { thread in
      var random = TestRandom(UInt64(thread))
      do {
        if thread < 2 {
          defer { _ = done.fetchAdd(1) }
          for _ in 0..<600 {
            // Each thread owns the accounts of its parity.
            let first: [UInt8] = [UInt8(2 * random.below(accounts / 2) + thread)]
            let second: [UInt8] = [UInt8(2 * random.below(accounts / 2) + thread)]
            let from = Self.number(try trees[0].get(first))
            let to = Self.number(try trees[1].get(second))
            let writes = [
              BatchWrite(tree: trees[1], key: second, value: Self.bytes(to + 1)),
              BatchWrite(tree: trees[0], key: first, value: Self.bytes(from - 1)),
            ]
            var batch = try BatchCommit(world.context, writes)
            _ = try batch.commit()
          }
        } else {
          // Touches keys between the accounts, so that their leaves split and freeze.
          while done.load() < 2 {
            let key: [UInt8] = [UInt8(random.below(accounts)), UInt8(random.below(40))]
            let tree = trees[random.below(2)]
            _ = random.below(3) == 0 ? try tree.remove(key) : try tree.put(key, [1])
          }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    var sum: UInt64 = 0
    for tree in trees {
      for account in 0..<accounts { sum += Self.number(try tree.get([UInt8(account)])) }
    }
    #expect(sum == UInt64(2 * accounts * 1000))
    #expect(failures.withLock { $0 } == [])
    try Self.expectCleanEnd(world, trees)
  }

  /// Batches write one number under several keys; single-key writers do the same key by key in
  /// another range. A reader that reads the batch's keys one after another never sees the number
  /// fall.
  @Test func batchesAreSeenWhole() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let keys: [[UInt8]] = (0..<6).map { [UInt8($0 * 9)] }
    let failures = Mutex<[String]>([])
    let done = AtomicWord(0)
    try world.run(4) { thread in
      do {
        if thread == 0 {
          defer { done.store(1) }
          for turn in 1...600 {
            let writes = keys.map {
              BatchWrite(tree: tree, key: $0, value: Self.bytes(UInt64(turn)))
            }
            var batch = try BatchCommit(world.context, writes)
            _ = try batch.commit()
          }
        } else if thread == 1 {
          // Meets the batch's records: an equal value is never there, so nothing is exchanged.
          var random = TestRandom(1)
          while done.load() == 0 {
            _ = try tree.exchange(keys[random.below(keys.count)], [0], [1])
          }
        } else {
          var last: UInt64 = 0
          while done.load() == 0 {
            // In one order of commits, later reads see later states.
            for key in keys {
              let seen = Self.number(try tree.get(key))
              if seen < last { failures.withLock { $0.append("\(seen) after \(last)") } }
              last = max(last, seen)
            }
          }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    try Self.expectCleanEnd(world, [tree])
  }

  /// While others insert and remove between them, every key that is always there is met once, in
  /// order, both ways.
  @Test func scansMeetWhatStays() throws {
    let world = try TreeWorld()
    let tree = try world.tree()
    let staying: [[UInt8]] = (0..<120).map { [UInt8($0 * 2), 7] }
    for key in staying { _ = try tree.put(key, [1]) }
    let failures = Mutex<[String]>([])
    let done = AtomicWord(0)
    try world.run(4) { thread in
      do {
        if thread < 2 {
          var random = TestRandom(UInt64(thread))
          while done.load() < 2 {
            let key: [UInt8] = [UInt8(random.below(240)), UInt8(random.below(2) * 14)]
            _ = random.below(2) == 0 ? try tree.remove(key) : try tree.put(key, random.value())
          }
        } else {
          defer { _ = done.fetchAdd(1) }
          for _ in 0..<60 {
            var met = thread == 2 ? try tree.entries() : try tree.entriesDown().reversed()
            for index in met.indices.dropFirst()
            where compareKeys(met[index - 1].key, met[index].key) >= 0 {
              failures.withLock { $0.append("order") }
            }
            met.removeAll { $0.key.count < 2 || $0.key[1] != 7 }
            if met.map(\.key) != staying { failures.withLock { $0.append("missed or twice") } }
          }
        }
      } catch { failures.withLock { $0.append("\(error)") } }
    }
    #expect(failures.withLock { $0 } == [])
    try Self.expectCleanEnd(world, [tree])
  }

  /// Invariants hold, and every byte comes back.
  static func expectCleanEnd(_ world: TreeWorld, _ trees: [BLinkTree]) throws {
    for tree in trees {
      #expect(try tree.checkInvariants() == [])
      try tree.destroy()
    }
    world.context.epochs.freeAll()
    #expect(world.context.epochs.allocatedBytes == 0)
  }
}
