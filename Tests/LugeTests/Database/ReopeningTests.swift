import Platform
import Testing

@testable import Luge

/// Opening after a kill: what was written is there, and pages are brought up to date when they are
/// needed and not before.
@Suite struct ReopeningTests {
  private let base = PlatformServices.inMemory()

  private func key(_ number: Int) -> [UInt8] {
    let digits = String(number)
    return Array(("key" + String(repeating: "0", count: 6 - digits.count) + digits).utf8)
  }

  private func value(_ number: Int, _ round: Int) -> [UInt8] {
    Array("value \(number) of round \(round)".utf8)
  }

  private func open(
    _ files: (any FileSystem)? = nil, _ change: (inout Configuration) -> Void = { _ in }
  ) throws -> Database {
    var platform = base
    if let files { platform.files = files }
    var configuration = DatabaseTests.manual()
    configuration.leafEntries = 16
    configuration.leafAppendSlots = 4
    configuration.chunkPages = 8
    change(&configuration)
    return try Database.open(at: "/db", configuration: configuration, platform: platform)
  }

  /// A database of 2,000 entries that was killed after a checkpoint and changes: every third entry
  /// overwritten, every seventh removed. Nothing of it is left in memory.
  private func killed(_ change: (inout Configuration) -> Void = { _ in }) throws {
    let database = try open(change)
    let tree = database.defaultTree
    for number in 0..<2000 { try tree.setValue(value(number, 0), forKey: key(number)) }
    try database.checkpoint()
    for number in stride(from: 0, to: 2000, by: 3) {
      try tree.setValue(value(number, 1), forKey: key(number))
    }
    for number in stride(from: 0, to: 2000, by: 7) { try tree.discardValue(forKey: key(number)) }
    try database.flush()
  }

  private func open(_ change: (inout Configuration) -> Void) throws -> Database {
    try open(nil, change)
  }

  private func expected(_ number: Int) -> [UInt8]? {
    if number % 7 == 0 { return nil }
    return value(number, number % 3 == 0 ? 1 : 0)
  }

  private func check(_ database: Database) throws {
    var left = 0
    for number in 0..<2000 {
      let wanted = expected(number)
      if wanted != nil { left += 1 }
      #expect(try database.defaultTree.value(forKey: key(number)) == wanted)
    }
    #expect(try database.defaultTree.count() == left)
    #expect(try database.verify().problems == [])
  }

  /// All that lies behind the end of the redo log has become unreadable: after a close nothing was there; after
  /// a kill there may have been, so the database is not opened, and nothing is lost.
  @Test(arguments: [true, false])
  func unreadableSectorsBehindTheEndOfTheLog(isClosed: Bool) throws {
    try killed()
    let durable = try endOfLog(isClosed: isClosed)
    let newest = try #require(try RedoSegmentFiles.load(base.files, directory: "/db").last)
    let end = Int64(durable - newest.header.base) + Int64(RedoSegmentHeader.blockBytes)
    #expect(newest.header.base <= durable && end < newest.size)
    let files = HookedFileSystem(base.files)
    files.setHook { call in
      call.operation == "read" && call.path == newest.path && call.offset + Int64(call.count) > end
        ? .inputOutput : nil
    }
    if isClosed {
      try check(open(files))
    } else {
      let error = #expect(throws: LugeError.self) { try open(files) }
      #expect(error?.code == .inputOutput && error?.path == newest.path)
      files.setHook(nil)
    }
    try check(open(files))
  }

  /// Opens the database, looks through it, and closes it or leaves it as a kill would. Answers where its log ends.
  private func endOfLog(isClosed: Bool) throws -> UInt64 {
    let database = try open()
    try check(database)
    if isClosed { try database.close() } else { try database.flush() }
    return database.core.log.durable
  }

  @Test func openingReadsNoPageAndWritesNone() throws {
    try killed()
    let files = HookedFileSystem(base.files)
    let database = try open(files)
    let calls = files.takeCalls()
    #expect(!calls.contains { $0.operation == "write" && $0.path.contains("page-") })
    // The catalogue's.
    #expect(database.core.context.cache.pageIns.load() <= 1)
    #expect(database.core.context.pending.isAttached)
    try check(database)
    #expect(database.core.context.cache.pageIns.load() > 50)
    try database.close()
    try check(open())
  }

  @Test func aCheckpointBringsEveryPageUpToDate() throws {
    try killed()
    let database = try open()
    try database.checkpoint()
    #expect(!database.core.context.pending.isAttached)
    let pages = database.core.context.cache.pageIns.load()
    try check(database)
    #expect(database.core.context.cache.pageIns.load() == pages)
  }

  @Test func theCountOfAKilledDatabaseIsExact() throws {
    try killed()
    let database = try open()
    let left = (0..<2000).count { expected($0) != nil }
    #expect(try database.defaultTree.count() == left)
    #expect(try database.statistics().entries == left)
  }

  @Test func writesOnTopOfWhatPagesLack() throws {
    try killed()
    do {
      let database = try open()
      for number in stride(from: 0, to: 2000, by: 5) {
        try database.defaultTree.setValue(value(number, 2), forKey: key(number))
      }
      try database.flush()
    }
    let database = try open()
    for number in 0..<2000 {
      let wanted = number % 5 == 0 ? value(number, 2) : expected(number)
      #expect(try database.defaultTree.value(forKey: key(number)) == wanted)
    }
    #expect(try database.verify().problems == [])
  }

  @Test func killedAgainAndAgain() throws {
    try killed()
    for round in 0..<3 * Superblock.mostEras {
      let database = try open()
      let superblock = try #require(
        try SuperblockStore(files: base.files, directory: "/db").load())
      #expect((1...Superblock.mostEras).contains(superblock.eras.count))
      try database.defaultTree.setValue(value(0, round), forKey: Array("round".utf8))
      // Every other round leaves a group that nothing says is durable; the others leave none.
      if round % 2 == 0 { try database.flush() }
    }
    let database = try open()
    try database.defaultTree.discardValue(forKey: Array("round".utf8))
    try check(database)
  }

  /// So many new keys belong to one page that it would be far too large.
  @Test func whatOnePageCannotTakeIsAppliedAtOnce() throws {
    do {
      let database = try open()
      try database.defaultTree.setValue([], forKey: key(0))
      try database.checkpoint()
      for number in 1..<3000 { try database.defaultTree.setValue([1], forKey: key(number)) }
      let other = try database.tree(named: "other")
      for number in 0..<500 { try other.setValue([2], forKey: key(number)) }
      try database.flush()
    }
    let database = try open()
    #expect(try database.defaultTree.count() == 3000)
    #expect(try database.tree(named: "other").count() == 500)
    #expect(try database.verify().problems == [])
    try database.close()
    #expect(try open().defaultTree.count() == 3000)
  }

  @Test func theRedoIsAppliedInPortionsWhereMemoryIsShort() throws {
    func small(_ configuration: inout Configuration) {
      configuration.logBufferSize = 64 << 10
      configuration.maximumWriters = 4
      configuration.ordinaryCommitSize = 1 << 10
      configuration.pageBufferSize = 4 << 10
      configuration.pageSize = 1 << 10
      configuration.memoryBudget = configuration.leastMemoryBudget
    }
    try killed(small)
    let database = try open(small)
    #expect(!database.core.context.pending.isAttached)
    try check(database)
  }

  @Test func redoThatRotsAfterTheOpeningIsReported() throws {
    try killed()
    let database = try open()
    let names = try base.files.list("/db").filter { $0.hasPrefix("redo-") }
    var before: [(String, [UInt8])] = []
    for name in names { before.append((name, try TestFiles.read(base.files, "/db/" + name))) }
    for (name, bytes) in before {
      var rotten = bytes
      for offset in stride(from: 4096, to: bytes.count, by: 8) { rotten[offset] ^= 1 }
      try TestFiles.write(base.files, "/db/" + name, rotten)
    }
    #expect {
      for number in 0..<2000 { _ = try database.defaultTree.value(forKey: key(number)) }
    } throws: { error in
      (error as? LugeError)?.code == .corruption
    }
    for (name, bytes) in before { try TestFiles.write(base.files, "/db/" + name, bytes) }
    for number in 0..<2000 {
      #expect(try database.defaultTree.value(forKey: key(number)) == expected(number))
    }
  }

  /// Of a log with one segment nothing else says that it was there.
  @Test func aRedoSegmentThatIsGoneIsReported() throws {
    do {
      let database = try open()
      try database.defaultTree.setValue([1], forKey: [1])
      try database.checkpoint()
      try database.defaultTree.setValue([2], forKey: [1])
      try database.flush()
    }
    for name in try base.files.list("/db") where name.hasPrefix("redo-") {
      try base.files.remove("/db/" + name)
    }
    #expect {
      _ = try open()
    } throws: { error in
      (error as? LugeError)?.code == .corruption
    }
  }

  /// Nothing is overwritten that an older superblock needs before the newest one is durable, and
  /// nothing of the tail counts before its copy is.
  @Test func theOrderOfAnOpening() throws {
    try killed()
    let files = HookedFileSystem(base.files)
    _ = try open(files)
    let calls = files.takeCalls().filter { $0.operation == "write" || $0.operation == "sync" }
    let superblocks = calls.indices.filter { calls[$0].path.hasSuffix("SUPERBLOCK") }
    let redo = calls.indices.filter { calls[$0].path.contains("redo-") }
    #expect(superblocks.count == 4)
    let (secured, first) = (try #require(superblocks.dropFirst().first), try #require(redo.first))
    let (last, named) = (try #require(redo.last), superblocks[2])
    #expect(secured < first && last < named)
    #expect(calls[last].operation == "sync")
  }
}
