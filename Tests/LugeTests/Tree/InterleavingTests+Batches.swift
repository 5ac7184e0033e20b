import Testing

@testable import Luge

// Batches whose leaves are evicted between one attempt and the next, and whose payload lies apart.
extension InterleavingTests {
  /// Removes and puts several keys of a tree at once: a removal needs its leaf in memory.
  static func mixedBatcher(_ random: TestRandom, _ turns: Int, _ count: Int) -> (Run) throws -> Void
  {
    { run in
      var random = random
      for _ in 0..<turns {
        var writes: [BatchWrite] = []
        let first = random.below(count)
        for step in 0..<(2 + random.below(5)) {
          let value: [UInt8]? =
            random.below(3) > 0 ? nil : [UInt8](repeating: 1, count: 2 + random.below(90))
          let key = TreeIndexTests.key((first + step * (1 + random.below(7))) % count)
          writes.append(BatchWrite(tree: run.trees[0], key: key, value: value))
        }
        var batch = try BatchCommit(run.base.context, writes)
        while true {
          do throws(LugeError) {
            _ = try batch.commit()
            break
          } catch {
            if !isInjected(error) { throw error }
          }
        }
      }
    }
  }

  /// Gets that mark what was read for others as used.
  static func toucher(_ random: TestRandom, _ turns: Int, _ count: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<turns {
        let key = TreeIndexTests.key(random.below(count))
        _ = try again { () throws(LugeError) in try run.trees[0].get(key) }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Writes that do not ask for the former value, so that pages get partial leaves.
  static func blindWriter(_ random: TestRandom, _ turns: Int, _ count: Int) -> (Run) throws -> Void
  {
    { run in
      var random = random
      for turn in 0..<turns {
        let key = TreeIndexTests.key(random.below(count))
        let write = [BatchWrite(tree: run.trees[0], key: key, value: [2, UInt8(turn)])]
        var batch = try BatchCommit(run.base.context, write)
        do throws(LugeError) { _ = try batch.commit() } catch {
          if !isInjected(error) { throw error }
        }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Evicts whatever may go, without sparing the youngest, as long as others work.
  static func greedyEvictor(whileMoreThan others: Int) -> (Run) throws -> Void {
    { run in
      while run.working > others {
        _ = try again { () throws(LugeError) in try run.base.context.evictOne(keeping: 0) }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  static func runBatches(_ seed: UInt64, faultiness: Int) throws -> [String: Int] {
    var settings = TreeWorld.tiny
    settings.chunkPages = [1, 2, 4][Int(seed % 3)]
    settings.largestPiece = 256
    let world = try #require(InterleavingWorld(seed: seed, faultiness: faultiness))
    let run = try Run(world, settings)
    let filled = try TreeChunkTests.filled(run.base, 60)
    try run.trees[0].destroy()
    run.trees[0] = try TreeChunkTests.load(run.base, TreeChunkTests.checkpoint(filled))
    for number in 0..<3 as Range<UInt64> {
      run.thread(mixedBatcher(TestRandom(seed + number), 8, 60))
    }
    run.thread(blindWriter(TestRandom(seed + 3), 30, 60))
    run.thread(toucher(TestRandom(seed + 4), 40, 60))
    run.thread(toucher(TestRandom(seed + 5), 40, 60))
    for _ in 0..<3 { run.thread(greedyEvictor(whileMoreThan: 3)) }
    try runToEnd(run, seed)
    try filled.destroy()
    return try finish(run, seed)
  }

  @Test func batchesBesideEvictions() throws {
    var met: [String: Int] = [:]
    for seed in 1...UInt64(Self.interleavings(60)) {
      met.merge(try Self.runBatches(seed, faultiness: seed % 2 == 0 ? 0 : 20)) { $0 + $1 }
    }
    for name in ["cache.partialCompleted", "tree.batchApart", "tree.batchHeldPages"] {
      #expect(met[name, default: 0] > 0, "\(name) was never met")
    }
  }

  /// A tree that is dropped is not freed as long as a batch has claims of its pages.
  @Test func aTreeStaysUntilItsPagesAreReleased() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      let world = try #require(InterleavingWorld(seed: seed))
      let run = try Run(world, TreeWorld.tiny)
      for number in 0..<30 { _ = try run.trees[0].put(TreeIndexTests.key(number), [1]) }
      var isHeld = false
      var isReleased = false
      run.thread { run in
        let writes = [3, 12, 25].map { number in
          BatchWrite(tree: run.trees[0], key: TreeIndexTests.key(number), value: nil)
        }
        let batch = try BatchCommit(run.base.context, writes)
        var held = HeldPages()
        try batch.holdAll(&held)
        isHeld = true
        for _ in 0..<20 { try world.backOff(attempt: 0) }
        isReleased = true
        held.release()
      }
      run.thread { run in
        while !isHeld { try world.backOff(attempt: 0) }
        run.trees[0].setState(.dropped)
        try run.base.context.epochs.waitForQuiescence(world)
        try run.trees[0].destroy()
        if !isReleased { run.problems.append("freed before the claims were given back") }
      }
      try #require(world.runAll(), "seed \(seed): \(world.situation)")
      #expect(run.problems == [], "seed \(seed)")
      try run.trees[1].destroy()
      world.end()
    }
  }
}
