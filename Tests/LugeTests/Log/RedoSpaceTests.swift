import Platform
import Testing

@testable import Luge

/// What the log keeps back on a full disk, and what becomes of files that could not be completed.
@Suite struct RedoSpaceTests {
  private func hooked() throws -> (HookedFileSystem, LogFixture) {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    return (files, try LogFixture(platform: platform))
  }

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    do { try body() } catch { return (error as? LugeError)?.code }
    return nil
  }

  /// Commits and flushes until a flush fails; answers what with.
  private func fill(_ fixture: LogFixture, flushes: Int) throws -> LugeError.Code? {
    for _ in 0..<flushes {
      let outcome = code {
        _ = try fixture.commit([UInt8](repeating: 1, count: 3000))
        try fixture.log.flush()
      }
      if let outcome { return outcome }
    }
    return nil
  }

  @Test func theLastSpareIsForCheckpointsOnceSpaceIsShort() throws {
    let (files, fixture) = try hooked()
    #expect(try fill(fixture, flushes: 1) == nil)
    #expect(try fixture.log.prepareSpare())
    #expect(try fixture.log.prepareSpare())
    #expect(try !fixture.log.prepareSpare(), "two are enough")
    files.setHook { $0.operation == "open" && $0.path.hasSuffix(".new") ? .noSpace : nil }
    // One spare is taken; that another cannot be made says that the last one is to be kept.
    #expect(try fill(fixture, flushes: 5) == nil)
    #expect(code { _ = try fixture.log.prepareSpare() } == .noSpace)
    #expect(try fill(fixture, flushes: 8) == .noSpace)
    #expect(code { try fixture.log.flush() } == .noSpace)
    try fixture.log.flush(forCheckpoint: true)
    // And what the checkpoint frees is taken by anyone.
    try fixture.log.release(below: fixture.log.durable)
    #expect(try fill(fixture, flushes: 4) == nil)
    #expect(fixture.log.failure == nil)
  }

  @Test func sparesGiveTheirSpaceBack() throws {
    let (files, fixture) = try hooked()
    #expect(try fixture.log.prepareSpare())
    #expect(try fixture.log.prepareSpare())
    #expect(try files.list("/db").count == 2)
    #expect(try fixture.log.giveBackSpares())
    #expect(try files.list("/db").isEmpty)
    #expect(try !fixture.log.giveBackSpares())
    #expect(fixture.log.diskBytes == 0)
  }

  @Test func aSegmentThatWasNotCompletedIsUsedBeforeAnotherIsMade() throws {
    let (files, fixture) = try hooked()
    _ = try fixture.commit([1])
    files.setHook {
      switch $0.operation {
      case "write": return $0.offset == 0 ? .noSpace : nil
      case "remove": return .noSpace
      default: return nil
      }
    }
    for _ in 0..<3 { #expect(code { try fixture.log.flush() } == .noSpace) }
    #expect(try files.list("/db").count == 1)
    files.setHook(nil)
    try fixture.log.flush()
    #expect(try files.list("/db").count == 1)
    #expect(try LogFixture.scan(files.inner).commits.count == 1)
  }

  @Test func nothingIsMadeOnceTheLogIsClosed() throws {
    let (files, fixture) = try hooked()
    fixture.log.close()
    #expect(code { _ = try fixture.log.prepareSpare() } == .closed)
    #expect(try files.list("/db").isEmpty)
  }
}
