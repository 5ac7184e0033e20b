import Platform
import Synchronization
import Testing

@testable import Luge

/// Corners: full disks, odd settings, odd names, odd files.
@Suite struct LimitsTests {
  private func hooked() -> (HookedFileSystem, PlatformServices) {
    var platform = PlatformServices.inMemory()
    let files = HookedFileSystem(platform.files)
    platform.files = files
    return (files, platform)
  }

  /// Leaves and directory parts fit into the smallest segments, whatever the page size.
  @Test func pagesFitIntoTheSmallestSegments() throws {
    let platform = PlatformServices.inMemory()
    var configuration = DatabaseTests.manual()
    configuration.pageSegmentSize = Configuration.smallestSegmentSize
    let database = try Database.open(at: "/db", configuration: configuration, platform: platform)
    for index in 0..<1000 {
      let key = Array("key-\(10_000 + index)".utf8)
      try database.defaultTree.updateValue([UInt8](repeating: 1, count: 120), forKey: key)
    }
    try database.checkpoint()
    try database.close()
    let again = try Database.open(at: "/db", configuration: configuration, platform: platform)
    #expect(try again.defaultTree.count() == 1000)
    try again.close()
  }

  /// What tells pages apart may be as long as keys are: the list of a chunk's pages, too, must fit.
  @Test(arguments: [16, 200]) func listsOfPagesWithLongKeysFitIntoTheSmallestSegments(
    chunkPages: Int
  ) throws {
    let platform = PlatformServices.inMemory()
    var configuration = DatabaseTests.manual()
    configuration.pageSegmentSize = Configuration.smallestSegmentSize
    configuration.chunkPages = chunkPages
    let database = try Database.open(at: "/db", configuration: configuration, platform: platform)
    // Pairs that differ in the last byte only, so the page between is named by the whole key.
    let keys = (0..<80).map { index in
      [UInt8(index / 2)] + [UInt8](repeating: 7, count: 3000) + [UInt8(index % 2)]
    }
    for round in 0..<3 {
      for key in keys {
        try database.defaultTree.updateValue([UInt8(round)] + key.suffix(300), forKey: key)
      }
      try database.checkpoint()
    }
    #expect(try database.verify().problems == [])
    try database.close()
    let again = try Database.open(at: "/db", configuration: configuration, platform: platform)
    #expect(try again.defaultTree.count() == keys.count)
    for key in keys { #expect(try again.defaultTree.value(forKey: key)?.first == 2) }
    for key in keys { try again.defaultTree.removeValue(forKey: key) }
    try again.checkpoint()
    #expect(try again.defaultTree.isEmpty())
    try again.close()
  }

  /// The name of a directory that an earlier, failed opening made is made durable all the same.
  @Test func theDirectorysNameIsSyncedBeforeItHoldsADatabase() throws {
    let (files, platform) = hooked()
    files.setHook { $0.operation == "syncDirectory" && $0.path == "/" ? .inputOutput : nil }
    #expect(throws: LugeError.self) {
      try Database.open(at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    }
    files.setHook(nil)
    _ = files.takeCalls()
    let database = try Database.open(
      at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    #expect(files.takeCalls().contains { $0.operation == "syncDirectory" && $0.path == "/" })
    try database.close()
  }

  /// Names are bytes: two spellings that only Unicode calls equal are two trees.
  @Test func aDroppedTreeDoesNotComeBackUnderAnotherSpelling() throws {
    let platform = PlatformServices.inMemory()
    let database = try Database.open(
      at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    _ = try database.tree(named: "caf\u{E9}")
    try database.dropTree(named: "cafe\u{301}")
    let before = try database.treeNames().map { Array($0.utf8) }
    try database.close()
    let again = try Database.open(
      at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    #expect(try again.treeNames().map { Array($0.utf8) } == before)
    try again.close()
  }

  /// A checkpoint gives back what a new segment lacks, so it must not wait for one.
  @Test func aFullDiskDoesNotKeepACheckpointFromFreeingIt() throws {
    let (files, platform) = hooked()
    var configuration = DatabaseTests.manual()
    configuration.checkpointInterval = 4096
    let database = try Database.open(at: "/db", configuration: configuration, platform: platform)
    let value = [UInt8](repeating: 1, count: 100)
    for index in 0..<100 { try database.defaultTree.updateValue(value, forKey: [UInt8(index)]) }
    try database.flush()
    let before = try database.statistics().recoveryLSN
    files.setHook { $0.operation == "create" && $0.path.contains("redo-") ? .noSpace : nil }
    try? database.performBackgroundWork()
    files.setHook(nil)
    #expect(try database.statistics().recoveryLSN > before)
    try database.close()
  }

  @Test func figuresSurviveARemovalCountedBeforeItsInsert() throws {
    let database = try Database.open(
      at: "/db", configuration: DatabaseTests.manual(), platform: .inMemory())
    let tree = database.core.catalogue.defaultTree
    let pin = try database.core.context.epochs.pin()
    tree.adjustCount(from: true, to: false, pin)
    #expect(try database.statistics().entries == 0)
    _ = try database.verify()
    tree.adjustCount(from: false, to: true, pin)
    pin.end()
    try database.close()
  }

  /// Large commits leave room for small ones later, so they too count against the writers.
  @Test func aWriterTooManyIsRefusedWhateverItsSize() throws {
    var settings = LogFixture.small
    settings.maximumThreads = 1
    let log = try LogFixture(settings: settings).log
    let large = settings.largestOrdinaryPiece + 8
    let refused = Mutex((small: 0, large: 0))
    // Both are alive at once, so at least one has another slot than the first.
    let gate = Latch(threads: RealThreads(), clock: RealClock())
    var threads: [ThreadID] = []
    for _ in 0..<2 {
      threads.append(
        try RealThreads().spawn("writer") {
          _ = ThreadSlot.current
          _ = try? gate.wait()
          if (try? log.admit(pieceBytes: 64)) == nil { refused.withLock { $0.small += 1 } }
          do {
            try log.admit(pieceBytes: large)
            log.releaseCredits(pieceBytes: large)
          } catch { refused.withLock { $0.large += 1 } }
        })
    }
    try RealClock().sleep(nanoseconds: 50_000_000)
    gate.open()
    for thread in threads { try RealThreads().join(thread) }
    let seen = refused.withLock { $0 }
    #expect(seen.small >= 1)
    #expect(seen.large == seen.small)
  }

  /// Threads that hold slots and only read leave the writers' places alone.
  @Test func readersAreNoWriters() throws {
    var settings = LogFixture.small
    settings.maximumThreads = 1
    let log = try LogFixture(settings: settings).log
    let gate = Latch(threads: RealThreads(), clock: RealClock())
    let holding = AtomicWord(0)
    var threads: [ThreadID] = []
    for _ in 0..<8 {
      threads.append(
        try RealThreads().spawn("reader") {
          _ = ThreadSlot.current
          _ = holding.fetchAdd(1)
          _ = try? gate.wait()
        })
    }
    while holding.load() < 8 { try RealThreads().backOff(attempt: 10) }
    let admitted = AtomicWord(0)
    let writer = try RealThreads().spawn("writer") {
      if (try? log.admit(pieceBytes: 64)) != nil { admitted.store(1) }
    }
    try RealThreads().join(writer)
    #expect(admitted.load() == 1)
    gate.open()
    for thread in threads { try RealThreads().join(thread) }
  }

  @Test func aSettingBeyondAllBoundsIsRefused() {
    var configuration = DatabaseTests.manual()
    configuration.ordinaryCommitSize = 1 << 60
    #expect(throws: LugeError.self) { try configuration.validate() }
  }

  @Test func aSegmentOfTheHighestSerialIsNoTrap() throws {
    let platform = PlatformServices.inMemory()
    try Database.open(at: "/db", configuration: DatabaseTests.manual(), platform: platform).close()
    try TestFiles.write(platform.files, "/db/redo-ffffffffffffffff", [])
    #expect(throws: LugeError.self) {
      try Database.open(at: "/db", configuration: DatabaseTests.manual(), platform: platform)
    }
  }
}
