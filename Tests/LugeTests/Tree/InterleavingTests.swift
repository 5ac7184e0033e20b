import Platform
import Testing

@testable import Luge

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The tree's threads in interleavings chosen by a seed. (With `--traits SchedulePoints` they may
/// switch at every access to a shared word; without it at the named points.)
@Suite(.serialized) struct InterleavingTests {
  /// One run: its world, and what its threads note. All on one real thread.
  final class Run: @unchecked Sendable {
    let world: InterleavingWorld
    let base: TreeWorld
    var trees: [BLinkTree]
    var problems: [String] = []
    var raises: UInt64 = 0
    /// Of the last whole checkpoint of the first tree: R, and its chunks in order.
    var checkpoint: (from: UInt64, chunks: [ChunkEntry])?
    var working = 0

    init(_ world: InterleavingWorld, _ settings: TreeSettings) throws {
      self.world = world
      base = try TreeWorld(settings, clock: world, threads: world)
      trees = [try base.tree(1), try base.tree(2)]
    }

    /// Adds a thread. An injected failure is no problem; anything else that is thrown is.
    func thread(_ body: @escaping (Run) throws -> Void) {
      working += 1
      world.add { [unowned self] in
        do { try body(self) } catch { problems.append("\(error)") }
        working -= 1
      }
    }
  }

  static func isInjected(_ error: LugeError) -> Bool { error.underlying?.code == .faultPoint }

  /// Calls again until no failure is injected.
  static func again<Result>(_ body: () throws(LugeError) -> Result) throws(LugeError) -> Result {
    while true {
      do { return try body() } catch {
        if !isInjected(error) { throw error }
      }
    }
  }

  static func counterKey(_ number: Int) -> [UInt8] { [UInt8(40 * number)] }

  /// Raises shared counters by compare-exchange.
  static func raiser(_ random: TestRandom, _ turns: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<turns {
        let key = counterKey(random.below(3))
        var present = try again { () throws(LugeError) in try run.trees[0].get(key) }
        while true {
          let raised = TreeConcurrencyTests.bytes(TreeConcurrencyTests.number(present) + 1)
          let expected = present
          let result = try again { () throws(LugeError) in
            try run.trees[0].exchange(key, expected, raised)
          }
          if result.applied { break }
          present = result.old
        }
        run.raises += 1
      }
    }
  }

  /// Writes and removes among the counters, so that leaves fill, split and lose entries.
  static func churner(
    _ random: TestRandom, _ turns: Int, spread: Int, large: Bool = true
  ) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<turns {
        let tree = run.trees[random.below(2)]
        let key = [UInt8(random.below(spread)), UInt8(random.below(6))]
        // Some take credits: they are above the largest ordinary piece of 4 KiB.
        let value =
          large && random.below(12) == 0 ? [UInt8](repeating: 5, count: 5000) : random.value()
        if random.below(3) == 0 {
          _ = try again { () throws(LugeError) in try tree.remove(key) }
        } else {
          _ = try again { () throws(LugeError) in try tree.put(key, value) }
        }
      }
    }
  }

  static let batchKeys: [[UInt8]] = [[5, 77], [60, 77], [110, 77]]

  /// Writes one rising number under several keys of both trees.
  static func batcher(_ turns: Int) -> (Run) throws -> Void {
    { run in
      for turn in 1...turns {
        var writes: [BatchWrite] = []
        for tree in run.trees {
          for key in batchKeys {
            let value = TreeConcurrencyTests.bytes(UInt64(turn))
            writes.append(BatchWrite(tree: tree, key: key, value: value))
          }
        }
        var batch = try BatchCommit(run.base.context, writes)
        var lsn: UInt64 = 0
        while lsn == 0 {
          do throws(LugeError) { lsn = try batch.commit() } catch {
            if !isInjected(error) { throw error }
          }
        }
        if lsn % 8 != 0 { run.problems.append("LSN \(lsn)") }
      }
    }
  }

  static let crossKeys: [[UInt8]] = [[20, 88], [75, 88], [110, 88]]

  /// Writes a number of its own under keys that other batches write too, in either order.
  static func crosser(_ number: Int, _ turns: Int) -> (Run) throws -> Void {
    { run in
      for turn in 1...turns {
        var writes: [BatchWrite] = []
        for tree in number % 2 == 0 ? run.trees : run.trees.reversed() {
          for key in crossKeys {
            let value = TreeConcurrencyTests.bytes(UInt64(10 * turn + number))
            writes.append(BatchWrite(tree: tree, key: key, value: value))
          }
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

  /// Whatever the order was, one batch was the last for all its keys.
  static func expectUncrossed(_ run: Run, _ seed: UInt64) throws {
    let first = try run.trees[0].get(crossKeys[0])
    #expect(first != nil, "seed \(seed)")
    for tree in run.trees {
      for key in crossKeys { #expect(try tree.get(key) == first, "seed \(seed)") }
    }
  }

  /// Meets the batch's records as a writer, and so aborts it; exchanges nothing.
  static func disturber(_ random: TestRandom, _ turns: Int) -> (Run) throws -> Void {
    { run in
      var random = random
      for _ in 0..<turns {
        let key = batchKeys[random.below(batchKeys.count)]
        let tree = run.trees[random.below(2)]
        let result = try again { () throws(LugeError) in try tree.exchange(key, [1, 2, 3], [0]) }
        if result.applied { run.problems.append("an exchange found what nobody wrote") }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Reads the batch's keys one after another: the number may not fall.
  static func reader(_ turns: Int) -> (Run) throws -> Void {
    { run in
      var last: UInt64 = 0
      for turn in 0..<turns {
        let key = batchKeys[turn % batchKeys.count]
        let seen = TreeConcurrencyTests.number(try run.trees[turn / 3 % 2].get(key))
        if seen < last { run.problems.append("\(seen) is seen after \(last)") }
        last = seen
      }
    }
  }

  /// The entries of a cursor, in ascending order, whatever failures are injected.
  static func walk(_ cursor: consuming TreeCursor, up: Bool) throws -> [TreeEntry] {
    var entries: [TreeEntry] = []
    while true {
      do throws(LugeError) {
        guard let entry = up ? try cursor.next() : try cursor.previous() else { break }
        entries.append(entry)
      } catch {
        if !isInjected(error) { throw error }
      }
    }
    return up ? entries : entries.reversed()
  }

  /// Scans both ways: ordered, what stays is met once, and a batch is seen whole or not at all, over
  /// both trees where the snapshot is the same.
  static func scanner(_ turns: Int, staying: [[UInt8]]) -> (Run) throws -> Void {
    { run in
      for turn in 0..<turns {
        let tree = run.trees[turn % 2]
        let (reader, snapshot) = run.base.context.beginSnapshot()
        defer { run.base.context.endSnapshot(reader) }
        let entries = try walk(TreeCursor(tree, at: snapshot), up: turn % 4 < 2)
        let others = try walk(TreeCursor(run.trees[1 - turn % 2], at: snapshot), up: turn % 3 < 2)
        let batch = (entries + others).filter { batchKeys.contains($0.key) }.map(\.value)
        let whole = batch.isEmpty || batch.count == 2 * batchKeys.count
        if !whole || batch.contains(where: { $0 != batch[0] }) {
          run.problems.append("a scan at \(snapshot) saw \(batch)")
        }
        for index in entries.indices.dropFirst()
        where compareKeys(entries[index - 1].key, entries[index].key) >= 0 {
          run.problems.append("a scan is out of order")
        }
        let met = entries.map(\.key).filter { $0.count == 3 }
        if met != staying { run.problems.append("a scan met \(met.count) of \(staying.count)") }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  /// Takes checkpoints of the first tree as long as others work.
  static func checkpointer() -> (Run) throws -> Void {
    { run in
      while run.working > 1 {
        let from = run.base.context.log.tail
        // What a walk that fails has written, the next one need not.
        run.checkpoint = try again { () throws(LugeError) in
          var walk = CheckpointWalk()
          try walk.visit(run.trees[0])
          return (from, walk.chunks)
        }
        try run.world.backOff(attempt: 0)
      }
    }
  }

  struct Logged {
    var lsn: UInt64
    var tree: UInt64
    var key: [UInt8]
    var value: [UInt8]?
  }

  static func readLog(_ run: Run) throws -> [Logged] {
    try run.base.context.log.flush()
    var logged: [Logged] = []
    _ = try unsafe RedoScan.run(
      files: run.base.platform.files, directory: "/db", incarnation: 1, from: RedoFormat.firstLSN,
      durable: run.base.context.log.durable, superblockSequence: 0
    ) { (lsn, kind, payload) throws(LugeError) in
      guard kind == .commitApart else {
        return unsafe try note(payload, lsn, run, &logged)
      }
      guard let reference = unsafe ValueReference(payload) else {
        throw LugeError(.corruption, "the commit at LSN \(lsn) cannot be decoded")
      }
      let record = try run.base.context.values.read(reference.commitPart, .commit)
      unsafe try record.withPayload { (payload) throws(LugeError) in
        unsafe try note(payload, lsn, run, &logged)
      }
    }
    return logged
  }

  private static func note(
    _ payload: UnsafeRawBufferPointer, _ lsn: UInt64, _ run: Run, _ logged: inout [Logged]
  ) throws(LugeError) {
    try unsafe RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      var value = unsafe operation.value.map { unsafe [UInt8]($0) }
      if let reference = unsafe operation.reference {
        value = try unsafe run.trees[0].readApart(reference, keyCount: operation.key.count)
      }
      logged.append(
        Logged(
          lsn: lsn, tree: unsafe operation.tree, key: unsafe [UInt8](operation.key), value: value))
    }
  }

  /// The log in LSN order gives the trees' contents; so does the last checkpoint with what follows
  /// it.
  static func expectRecoverable(_ run: Run) throws {
    let logged = try readLog(run)
    for tree in run.trees {
      var model = SortedModel()
      for entry in logged where entry.tree == tree.id { _ = model.set(entry.key, entry.value) }
      #expect(try tree.entries() == model.entries)
    }
    guard let checkpoint = run.checkpoint else { return }
    let loaded = try TreeChunkTests.load(run.base, checkpoint.chunks)
    for entry in logged where entry.tree == 1 && entry.lsn >= checkpoint.from {
      try unsafe entry.key.span.bytes.withUnsafeBytes { (key) throws(LugeError) in
        guard let value = entry.value else {
          try unsafe loaded.replayDelete(lsn: entry.lsn, key: key)
          return
        }
        try unsafe value.span.bytes.withUnsafeBytes { (value) throws(LugeError) in
          _ = try unsafe loaded.replayPut(lsn: entry.lsn, key: key, value: value)
        }
      }
    }
    #expect(try loaded.entries() == run.trees[0].entries())
    #expect(try loaded.checkInvariants() == [])
    try loaded.destroy()
  }

  /// One interleaving of everything. Returns the probes met.
  static func runOne(_ seed: UInt64, faultiness: Int) throws -> [String: Int] {
    var settings = TreeWorld.tiny
    if seed % 2 == 0 { settings.appendWords = 1 }
    // Leaves that are rebuilt for their weight, with append words still empty.
    if seed % 3 == 1 { (settings.leafBytes, settings.appendWords) = (80, 4) }
    // Every post splits a chunk, or hardly any does.
    settings.chunkPages = [1, 2, 3, 8][Int(seed / 2 % 4)]
    let world = try #require(
      InterleavingWorld(
        seed: seed, switchiness: seed % 3 == 0 ? 12 : 90, faultiness: faultiness))
    let run = try Run(world, settings)
    let staying: [[UInt8]] = (0..<12).map { [UInt8(10 * $0), 3, 3] }
    for tree in run.trees { for key in staying { _ = try tree.put(key, [9]) } }
    run.thread(raiser(TestRandom(seed), 12))
    run.thread(raiser(TestRandom(seed + 1), 12))
    // Few keys make their leaves hot.
    let spread = seed % 2 == 0 ? 120 : 4
    run.thread(churner(TestRandom(seed + 2), 60, spread: spread))
    run.thread(churner(TestRandom(seed + 3), 60, spread: spread))
    run.thread(batcher(8))
    run.thread(crosser(1, 5))
    run.thread(crosser(2, 5))
    run.thread(crosser(3, 5))
    run.thread(disturber(TestRandom(seed + 4), 30))
    run.thread(reader(50))
    run.thread(scanner(30, staying: staying))
    run.thread(checkpointer())
    run.thread(evictor(whileMoreThan: 2))
    try #require(world.runAll(), "seed \(seed): \(world.situation)")
    #expect(run.problems == [], "seed \(seed)")
    var sum: UInt64 = 0
    for number in 0..<3 {
      sum += TreeConcurrencyTests.number(try run.trees[0].get(counterKey(number)))
    }
    #expect(sum == 24 && run.raises == 24, "seed \(seed)")
    try expectUncrossed(run, seed)
    for tree in run.trees {
      let problems = try tree.checkInvariants().filter { !$0.hasSuffix("is frozen") }
      #expect(problems == [], "seed \(seed)")
    }
    try expectRecoverable(run)
    return try finish(run, seed)
  }

  /// Lets the threads run to their ends; then the tree is sound, and can be recovered.
  static func runToEnd(_ run: Run, _ seed: UInt64) throws {
    try #require(run.world.runAll(), "seed \(seed): \(run.world.situation)")
    #expect(run.problems == [], "seed \(seed)")
    let problems = try run.trees[0].checkInvariants().filter { !$0.hasSuffix("is frozen") }
    #expect(problems == [], "seed \(seed)")
    try expectRecoverable(run)
  }

  /// Frees the trees; nothing is left, and nothing was released twice. Returns the probes met.
  static func finish(_ run: Run, _ seed: UInt64) throws -> [String: Int] {
    for tree in run.trees { try tree.destroy() }
    try run.base.context.discardReleased()
    run.base.context.epochs.freeAll()
    #expect(run.base.context.epochs.allocatedBytes == 0, "seed \(seed)")
    #expect(run.base.context.pages.releaseViolations == 0, "seed \(seed)")
    let probes = run.world.probes
    run.world.end()
    return probes
  }

  /// How many seeds to run: `INTERLEAVINGS` in the environment, for long runs.
  static func interleavings(_ usual: Int) -> Int {
    guard let text = unsafe getenv("INTERLEAVINGS") else { return usual }
    return unsafe Int(String(cString: text)) ?? usual
  }

  @Test func everythingAtOnce() throws {
    var met: [String: Int] = [:]
    for seed in 1...UInt64(Self.interleavings(60)) {
      met.merge(try Self.runOne(seed, faultiness: 0)) { $0 + $1 }
    }
    Self.expectMet(met, except: ["tree.gateClosed"])
  }

  /// Many that disturb one batch: after eight losses the gate holds them back.
  @Test func gateLetsABatchThrough() throws {
    var met: [String: Int] = [:]
    for seed in 1...20 as ClosedRange<UInt64> {
      let world = try #require(InterleavingWorld(seed: seed))
      let run = try Run(world, TreeWorld.tiny)
      run.thread(Self.batcher(4))
      for number in 0..<6 { run.thread(Self.disturber(TestRandom(seed * 10 + UInt64(number)), 60)) }
      #expect(world.runAll())
      #expect(run.problems == [])
      try Self.expectRecoverable(run)
      for tree in run.trees { try tree.destroy() }
      met.merge(world.probes) { $0 + $1 }
      world.end()
    }
    #expect(met["tree.gateClosed", default: 0] > 0)
  }

  @Test func everythingAtOnceWithFailures() throws {
    var met: [String: Int] = [:]
    for seed in 1...UInt64(Self.interleavings(60)) {
      met.merge(try Self.runOne(1_000_000 + seed, faultiness: 40)) { $0 + $1 }
    }
    Self.expectMet(met, except: ["tree.gateClosed"])
  }

  /// One thread stops for good at some point, pinned or not: all others end, and see nothing wrong.
  /// (Pieces above the ordinary size are left out: they are admitted one at a time.)
  @Test func aStoppedThreadHoldsUpNobody() throws {
    for seed in 1...UInt64(Self.interleavings(60)) {
      let stopped = Int(seed % 5)
      let world = try #require(
        InterleavingWorld(seed: seed, stopped: stopped, stopAfter: 1 + Int(seed / 5) % 40))
      let run = try Run(world, TreeWorld.tiny)
      run.thread(Self.batcher(4))
      run.thread(Self.raiser(TestRandom(seed), 12))
      run.thread(Self.churner(TestRandom(seed + 1), 40, spread: 6, large: false))
      run.thread(Self.scanner(10, staying: []))
      run.thread(Self.reader(30))
      run.thread(Self.churner(TestRandom(seed + 2), 40, spread: 6, large: false))
      run.thread(Self.raiser(TestRandom(seed + 3), 12))
      try #require(world.runAll(), "seed \(seed): \(world.situation)")
      #expect(run.problems == [], "seed \(seed)")
      #expect(run.working == 0 || run.working == 1, "seed \(seed)")
      for tree in run.trees { try tree.destroy() }
      world.end()
    }
  }

  /// Who evicts stops for good somewhere: all others end, and see nothing wrong. (With the lock of
  /// the cache, if need be: nobody needs it who finds memory enough.)
  @Test func aStoppedEvictorHoldsUpNobody() throws {
    var met: [String: Int] = [:]
    // Where threads switch at every access a step is a small part of an eviction.
    #if SchedulePoints
      let stretch = 40
    #else
      let stretch = 1
    #endif
    for seed in 1...UInt64(Self.interleavings(60)) {
      let world = try #require(
        InterleavingWorld(
          seed: seed, stopped: 6, stopAfter: (1 + Int(seed) * 7 % 300) * stretch))
      let run = try Run(world, TreeWorld.tiny)
      run.thread(Self.batcher(4))
      run.thread(Self.raiser(TestRandom(seed), 12))
      run.thread(Self.churner(TestRandom(seed + 1), 60, spread: 120, large: false))
      run.thread(Self.scanner(10, staying: []))
      run.thread(Self.reader(30))
      run.thread(Self.churner(TestRandom(seed + 2), 60, spread: 120, large: false))
      run.thread(Self.greedyEvictor(whileMoreThan: 1))
      try #require(world.runAll(), "seed \(seed): \(world.situation)")
      #expect(run.problems == [], "seed \(seed)")
      #expect(run.working <= 1, "seed \(seed)")
      met.merge(world.probes) { $0 + $1 }
      // The trees stay: who has stopped may be at work on them.
      world.end()
    }
    #expect(met["cache.evicted", default: 0] > 0)
    #expect(met["cache.pagedIn", default: 0] > 0)
  }

  static func expectMet(_ met: [String: Int], except: Set<String>) {
    // See `batchesBesideEvictions` and `mergesBesideReadersAndWriters`.
    let except = except.union([
      "tree.batchApart", "tree.batchHeldPages", "tree.chunksUnited", "tree.leavesMerged",
      "tree.mergeHelped",
    ])
    for name in ["cache.evicted", "cache.evictionGaveUp", "cache.loadAwaited", "cache.pagedIn"] {
      #expect(met[name, default: 0] > 0, "\(name) was never met")
    }
    for name in SeamNames.probes where name.hasPrefix("tree.") && !except.contains(name) {
      #expect(met[name, default: 0] > 0, "\(name) was never met")
    }
  }
}
