import Testing

@testable import Luge

// Chunks that come and go, and pages and chunks that are merged, beside readers and writers.
extension InterleavingTests {
  /// Reads some keys of a tree that was filled with `count`.
  static func getter(_ random: TestRandom, _ turns: Int, _ count: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<turns {
        let number = random.below(count)
        // As a glance does: the chunk by itself.
        if random.below(3) == 0 {
          let key = TreeIndexTests.key(number)
          try again { () throws(LugeError) in
            try unsafe key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
              try run.trees[0].bringInChunk(unsafe ByteView(key))
            }
          }
        }
        // At most the chunk comes, and may go again before it is used.
        try again { () throws(LugeError) in try run.trees[0].pageIn(TreeIndexTests.key(number)) }
        try run.world.backOff(attempt: 0)
        let value = try again { () throws(LugeError) in
          try run.trees[0].get(TreeIndexTests.key(number))
        }
        if value != [UInt8(number & 255)] && value != [1, 1] {
          run.problems.append("lost \(number)")
        }
      }
    }
  }

  /// Evicts pages as long as others work; the limit of memory is never reached by itself.
  static func evictor(whileMoreThan others: Int) -> (Run) throws -> Void {
    { run in
      while run.working > others {
        _ = try again { () throws(LugeError) in try run.base.context.evictOne() }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Lets chunks go wherever it can, as long as others work.
  static func chunkEvictor(_ random: TestRandom, _ count: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      while run.working > 2 {
        let key = TreeIndexTests.key(random.below(count))
        _ = try again { () throws(LugeError) in try run.trees[0].evictChunk(covering: key) }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Chunks of a tree that lies on disk come, go, change and split, while checkpoints walk.
  static func runChunks(_ seed: UInt64, faultiness: Int) throws -> [String: Int] {
    var settings = TreeWorld.tiny
    settings.chunkPages = [1, 2, 4][Int(seed % 3)]
    let world = try #require(InterleavingWorld(seed: seed, faultiness: faultiness))
    let run = try Run(world, settings)
    let filled = try TreeChunkTests.filled(run.base, 60)
    try run.trees[0].destroy()
    run.trees[0] = try TreeChunkTests.load(run.base, TreeChunkTests.checkpoint(filled))
    run.thread(getter(TestRandom(seed), 20, 60))
    run.thread(getter(TestRandom(seed + 1), 20, 60))
    run.thread { run in
      var random = TestRandom(seed + 2)
      for _ in 0..<6 {
        let key = TreeIndexTests.key(random.below(60))
        _ = try again { () throws(LugeError) in try run.trees[0].put(key, [1, 1]) }
        _ = try again { () throws(LugeError) in try run.trees[0].put(key + [9], [1, 1]) }
      }
    }
    run.thread(chunkEvictor(TestRandom(seed + 3), 60))
    run.thread(checkpointer())
    run.thread(evictor(whileMoreThan: 3))
    try runToEnd(run, seed)
    try filled.destroy()
    return try finish(run, seed)
  }

  static func stays(_ number: Int) -> Bool { number % 9 == 0 }

  /// Removes most of what is there, while a checkpoint's walk merges what becomes small.
  static func shrinker(_ random: TestRandom, _ count: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<60 {
        let number = random.below(count)
        if stays(number) { continue }
        let key = TreeIndexTests.key(number)
        if random.below(8) == 0 {
          _ = try again { () throws(LugeError) in try run.trees[0].put(key, [1, 1]) }
        } else {
          _ = try again { () throws(LugeError) in try run.trees[0].remove(key) }
        }
      }
    }
  }

  /// Scans up and down, and gets: what stays is always there.
  static func stayingReader(_ random: TestRandom, _ count: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      let staying = (0..<count).filter(stays).map(TreeIndexTests.key)
      for turn in 0..<16 {
        if turn % 4 == 0 {
          let entries = try again { () throws(LugeError) in
            turn % 8 == 0 ? try run.trees[0].entries() : try run.trees[0].entriesDown().reversed()
          }
          let keys = entries.map(\.key)
          if keys.filter(staying.contains) != staying { run.problems.append("a scan lost a key") }
          for index in keys.indices.dropFirst() where compareKeys(keys[index - 1], keys[index]) >= 0
          {
            run.problems.append("a scan is out of order")
          }
        }
        let key = staying[random.below(staying.count)]
        let value = try again { () throws(LugeError) in try run.trees[0].get(key) }
        if value == nil { run.problems.append("a key is lost") }
      }
    }
  }

  static func runMerges(_ seed: UInt64, faultiness: Int) throws -> [String: Int] {
    var settings = TreeWorld.tiny
    settings.chunkPages = [2, 4, 8][Int(seed % 3)]
    let world = try #require(InterleavingWorld(seed: seed, faultiness: faultiness))
    let run = try Run(world, settings)
    for number in 0..<60 { _ = try run.trees[0].put(TreeIndexTests.key(number), [1, 1]) }
    run.thread(shrinker(TestRandom(seed), 60))
    run.thread(shrinker(TestRandom(seed + 1), 60))
    run.thread(shrinker(TestRandom(seed + 2), 60))
    run.thread(stayingReader(TestRandom(seed + 3), 60))
    run.thread(stayingReader(TestRandom(seed + 4), 60))
    run.thread(checkpointer())
    try runToEnd(run, seed)
    return try finish(run, seed)
  }

  @Test func mergesBesideReadersAndWriters() throws {
    var met: [String: Int] = [:]
    for seed in 1...UInt64(Self.interleavings(60)) {
      met.merge(try Self.runMerges(seed, faultiness: seed % 2 == 0 ? 0 : 20)) { $0 + $1 }
    }
    for name in ["tree.chunksUnited", "tree.leavesMerged", "tree.mergeHelped"] {
      #expect(met[name, default: 0] > 0, "\(name) was never met")
    }
  }

  /// The thread that merges stops for good in the middle: all others end.
  @Test func aStoppedMergeHoldsUpNobody() throws {
    for seed in 1...UInt64(Self.interleavings(60)) {
      var settings = TreeWorld.tiny
      settings.chunkPages = [2, 4, 8][Int(seed % 3)]
      let world = try #require(
        InterleavingWorld(seed: seed, stopped: 3, stopAfter: 1 + Int(seed) % 60))
      let run = try Run(world, settings)
      for number in 0..<60 { _ = try run.trees[0].put(TreeIndexTests.key(number), [1, 1]) }
      for number in 0..<60 where !Self.stays(number) {
        _ = try run.trees[0].remove(TreeIndexTests.key(number))
      }
      run.thread(Self.shrinker(TestRandom(seed), 60))
      run.thread(Self.stayingReader(TestRandom(seed + 3), 60))
      run.thread(Self.shrinker(TestRandom(seed + 2), 60))
      run.thread(Self.checkpointer())
      try #require(world.runAll(), "seed \(seed): \(world.situation)")
      #expect(run.problems == [], "seed \(seed)")
      for tree in run.trees { try tree.destroy() }
      world.end()
    }
  }

  @Test func chunksComeAndGo() throws {
    var met: [String: Int] = [:]
    for seed in 1...UInt64(Self.interleavings(60)) {
      met.merge(try Self.runChunks(seed, faultiness: seed % 2 == 0 ? 0 : 20)) { $0 + $1 }
    }
    for name in [
      "cache.chunkEvicted", "cache.chunkPagedIn", "cache.chunkStays", "cache.loadAwaited",
    ] {
      #expect(met[name, default: 0] > 0, "\(name) was never met")
    }
  }
}
