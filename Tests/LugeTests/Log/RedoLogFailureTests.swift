import Platform
import Testing

@testable import Luge

@Suite struct RedoLogFailureTests {
  private func hooked(
    _ settings: RedoSettings = LogFixture.small
  ) throws -> (HookedFileSystem, LogFixture) {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    return (files, try LogFixture(platform: platform, settings: settings))
  }

  @Test(arguments: ["rename", "write", "open"])
  func fullDiskIsNotFinal(operation: String) throws {
    let (files, fixture) = try hooked()
    var random = SplitMix(8)
    var commits: [LogFixture.Commit] = []
    var refusals = 0
    for round in 0..<60 {
      commits.append(try fixture.commit(random.bytes(900)))
      if round % 3 == 1 {
        files.setHook { $0.operation == operation ? .noSpace : nil }
        do { try fixture.log.flush() } catch {
          #expect(error.code == .noSpace)
          refusals += 1
        }
        files.setHook(nil)
      }
      if round % 7 == 0 {
        try fixture.log.flush()
        if round == 28 { try fixture.log.release(below: fixture.log.durable) }
      }
    }
    try fixture.log.flush()
    #expect(refusals > 2)
    let from = commits[29].lsn
    let found = try LogFixture.scan(files.inner, from: from, durable: fixture.log.durable)
    #expect(found.commits == Array(commits[29...]))
  }

  @Test(arguments: ["write", "sync"], [PlatformError.Code.inputOutput, .faultPoint])
  func failedWritesAndSyncsAreFinal(operation: String, code: PlatformError.Code) throws {
    let (files, fixture) = try hooked()
    _ = try fixture.commit([1])
    try fixture.log.flush()
    let durable = fixture.log.durable
    _ = try fixture.commit([2])
    files.setHook { $0.operation == operation ? code : nil }
    #expect(throws: LugeError.self) { try fixture.log.flush() }
    files.setHook(nil)
    #expect(fixture.log.failure?.code == .inputOutput)
    #expect(fixture.log.durable == durable)
    #expect(throws: LugeError.self) { try fixture.log.admit(pieceBytes: 64) }
    #expect(fixture.log.reserve(64) == nil)
    do { try fixture.log.flush() } catch { #expect(error.code == .failed) }
    #expect(fixture.log.durable == durable)
  }

  @Test func aSyncThatFailsForSpaceIsFinalToo() throws {
    let (files, fixture) = try hooked()
    _ = try fixture.commit([1])
    try fixture.log.flush()
    _ = try fixture.commit([2])
    files.setHook { $0.operation == "sync" ? .noSpace : nil }
    #expect(throws: LugeError.self) { try fixture.log.flush() }
    #expect(fixture.log.failure != nil)
  }

  @Test func aFailedDirectorySyncIsFinal() throws {
    let (files, fixture) = try hooked()
    _ = try fixture.commit([1])
    files.setHook { $0.operation == "syncDirectory" ? .inputOutput : nil }
    #expect(throws: LugeError.self) { try fixture.log.flush() }
    #expect(fixture.log.failure != nil)
    #expect(fixture.log.durable == fixture.log.start)
  }

  @Test func shortRingAdmissionFlushes() throws {
    let (files, fixture) = try hooked()
    var random = SplitMix(9)
    for _ in 0..<400 { _ = try fixture.commit(random.bytes(900)) }
    #expect(files.takeCalls().contains { $0.operation == "sync" })
    #expect(fixture.log.tail - fixture.log.durable <= UInt64(fixture.settings.ringBytes))
  }

  @Test func largePiecesTakeCreditsAndTooLargeOnesAreRefused() throws {
    let (_, fixture) = try hooked()
    let largest = fixture.log.largestPiece
    #expect(largest > fixture.settings.largestOrdinaryPiece)
    var random = SplitMix(10)
    var commits: [LogFixture.Commit] = []
    for _ in 0..<20 {
      commits.append(try fixture.commit(random.bytes(largest - RedoFormat.headerBytes)))
      commits.append(try fixture.commit(random.bytes(random.below(900))))
    }
    try fixture.log.flush()
    #expect(try LogFixture.scan(fixture.platform.files).commits == commits)
    do {
      try fixture.log.admit(pieceBytes: largest + 8)
      Issue.record("admitted")
    } catch { #expect(error.code == .tooLarge) }
  }

  @Test func aClosedLogRefuses() throws {
    let (_, fixture) = try hooked()
    fixture.log.close()
    #expect(fixture.log.reserve(64) == nil)
    do {
      try fixture.log.admit(pieceBytes: 64)
      Issue.record("admitted")
    } catch { #expect(error.code == .closed) }
  }

  @Test func settingsThatDoNotFitAreRefused() {
    var settings = LogFixture.small
    settings.ringBytes = 32 << 10
    #expect(throws: LugeError.self) { try settings.validate() }
    settings = LogFixture.small
    settings.segmentPayload = 5000
    #expect(throws: LugeError.self) { try settings.validate() }
    #expect(throws: Never.self) { try RedoSettings().validate() }
  }
}
