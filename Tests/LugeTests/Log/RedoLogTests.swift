import Platform
import Testing

@testable import Luge

@Suite struct RedoLogTests {
  @Test func whatWasFlushedIsScanned() throws {
    let fixture = try LogFixture()
    var random = SplitMix(4)
    var commits: [LogFixture.Commit] = []
    for _ in 0..<300 {
      commits.append(try fixture.commit(random.bytes(random.below(900))))
      if random.below(10) == 0 { try fixture.log.flush() }
    }
    try fixture.log.flush()
    #expect(fixture.log.isDurable(fixture.log.tail))
    let found = try LogFixture.scan(fixture.platform.files, durable: fixture.log.durable)
    #expect(found.commits == commits)
    #expect(found.result.end == fixture.log.durable)
    #expect(found.result.groups > 10)
    #expect(found.result.segments.count > 3)
  }

  @Test func aScanBeginsAtAnyPiece() throws {
    let fixture = try LogFixture()
    var random = SplitMix(5)
    var commits: [LogFixture.Commit] = []
    for _ in 0..<60 { commits.append(try fixture.commit(random.bytes(random.below(900)))) }
    try fixture.log.flush()
    for index in commits.indices {
      let found = try LogFixture.scan(fixture.platform.files, from: commits[index].lsn)
      #expect(found.commits == Array(commits[index...]))
    }
  }

  @Test func singleOperationsAreWhatThePayloadSays() throws {
    let fixture = try LogFixture()
    var random = SplitMix(6)
    var expected: [[UInt8]] = []
    for _ in 0..<500 {
      let key = random.bytes(random.below(300))
      let value = random.below(4) == 0 ? nil : random.bytes(random.below(400))
      let tree = random.next() >> 20
      let bytes = RedoLog.operationPieceBytes(tree: tree, key: key.count, value: value?.count)
      try fixture.log.admit(pieceBytes: bytes)
      let lsn = try #require(fixture.log.reserve(bytes))
      var writer = ByteWriter()
      unsafe key.raw { key in
        if let value {
          unsafe value.raw { value in
            unsafe fixture.log.fillOperation(
              lsn, bytes: bytes, tree: tree, key: ByteView(key), value: ByteView(value))
            unsafe RedoPayload.appendPut(tree: tree, key: key, value: value, to: &writer)
          }
        } else {
          unsafe fixture.log.fillOperation(
            lsn, bytes: bytes, tree: tree, key: ByteView(key), value: nil)
          unsafe RedoPayload.appendDelete(tree: tree, key: key, to: &writer)
        }
      }
      expected.append(writer.bytes)
    }
    try fixture.log.flush()
    let found = try LogFixture.scan(fixture.platform.files)
    #expect(found.commits.map(\.payload) == expected)
  }

  @Test func padsAreSkipped() throws {
    let fixture = try LogFixture()
    var commits: [LogFixture.Commit] = []
    for index in 0..<50 {
      let lsn = try #require(fixture.log.reserve(24 + 8 * index))
      fixture.log.fillPad(lsn, bytes: 24 + 8 * index)
      commits.append(try fixture.commit([UInt8(index)]))
    }
    try fixture.log.flush()
    #expect(try LogFixture.scan(fixture.platform.files).commits == commits)
  }

  @Test func flushWithNothingNewWritesNothing() throws {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    let fixture = try LogFixture(platform: platform)
    try fixture.log.flush()
    #expect(files.takeCalls().isEmpty)
    _ = try fixture.commit([1])
    try fixture.log.flush()
    #expect(!files.takeCalls().isEmpty)
    try fixture.log.flush()
    try fixture.log.flush(through: fixture.log.tail)
    #expect(files.takeCalls().isEmpty)
  }

  @Test func aGroupIsOneWriteAndOneSync() throws {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    let fixture = try LogFixture(platform: platform)
    _ = try fixture.commit([1])
    try fixture.log.flush()
    _ = files.takeCalls()
    _ = try fixture.commit([2])
    _ = try fixture.commit([3])
    try fixture.log.flush()
    #expect(files.takeCalls().map(\.operation) == ["write", "sync"])
  }

  @Test func aNewSegmentIsDurableWithItsNameBeforeAGroupGoesIn() throws {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    let fixture = try LogFixture(platform: platform)
    _ = try fixture.commit([1])
    try fixture.log.flush()
    let operations = files.takeCalls().map(\.operation)
    #expect(
      operations == [
        "open", "truncate", "write", "write", "sync", "rename", "syncDirectory", "write", "sync",
      ])
  }

  @Test func releasedSegmentsAreRecycledAndOldPiecesNotTaken() throws {
    let fixture = try LogFixture()
    var random = SplitMix(7)
    var lastStart = fixture.log.start
    for round in 0..<40 {
      lastStart = fixture.log.tail
      var commits: [LogFixture.Commit] = []
      for _ in 0..<30 { commits.append(try fixture.commit(random.bytes(random.below(900)))) }
      try fixture.log.flush()
      fixture.log.superblockSequence = UInt64(round)
      try fixture.log.release(below: lastStart)
      let found = try LogFixture.scan(
        fixture.platform.files, from: lastStart, durable: fixture.log.durable,
        sequence: UInt64(round))
      #expect(found.commits == commits)
    }
    let names = try fixture.platform.files.list("/db")
    #expect(names.count <= 6, "\(names)")
  }

  @Test func aNewIncarnationGoesOnBehindTheOldEnd() throws {
    let first = try LogFixture()
    let old = try first.commit([1, 2, 3])
    try first.log.flush()
    let before = try LogFixture.scan(first.platform.files)
    #expect(before.commits == [old])
    let start = RedoFormat.startLSN(afterEnd: before.result.end)
    #expect(start > before.result.end && start % 4096 == 0)
    let second = try LogFixture(
      platform: first.platform, incarnation: 2, start: start, segments: before.result.segments)
    let new = try second.commit([4, 5])
    try second.log.flush()
    #expect(try LogFixture.scan(first.platform.files, incarnation: 2, from: start).commits == [new])
    #expect(try LogFixture.scan(first.platform.files).commits == [old])
    try second.log.release(below: start)
    #expect(try LogFixture.scan(first.platform.files, incarnation: 2, from: start).commits == [new])
  }

  @Test func manyShortIncarnationsDoNotPileUpFiles() throws {
    var fixture = try LogFixture()
    for incarnation in 2..<30 {
      let commit = try fixture.commit([UInt8(incarnation)])
      try fixture.log.flush()
      let found = try LogFixture.scan(
        fixture.platform.files, incarnation: UInt64(incarnation - 1), from: fixture.log.start)
      #expect(found.commits == [commit])
      fixture = try LogFixture(
        platform: fixture.platform, incarnation: UInt64(incarnation),
        start: RedoFormat.startLSN(afterEnd: found.result.end), segments: found.result.segments)
      try fixture.log.release(below: fixture.log.tail)
      #expect(try fixture.platform.files.list("/db").count <= 3)
    }
  }

  @Test func anEmptyStreamScansAsEmpty() throws {
    let fixture = try LogFixture()
    let tail = fixture.log.tail
    #expect(try LogFixture.scan(fixture.platform.files, from: tail).result.end == tail)
  }

  @Test func spareSegmentsAreMadeOnce() throws {
    let fixture = try LogFixture()
    #expect(try fixture.log.prepareSpare())
    #expect(try fixture.log.prepareSpare())
    #expect(try !fixture.log.prepareSpare())
    let commit = try fixture.commit([9])
    try fixture.log.flush()
    #expect(try LogFixture.scan(fixture.platform.files).commits == [commit])
    #expect(try fixture.platform.files.list("/db").count == 2, "one of them is in use")
  }
}
