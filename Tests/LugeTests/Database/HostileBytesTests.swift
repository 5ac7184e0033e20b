import Platform
import Testing

@testable import Luge

/// Bytes with right checksums that no engine wrote: reported, and neither trapped nor hung on.
@Suite struct HostileBytesTests {
  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    do { try body() } catch { return (error as? LugeError)?.code }
    return nil
  }

  private func manual() -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    return configuration
  }

  private func open(_ platform: PlatformServices) throws -> Database {
    try Database.open(at: "/db", configuration: manual(), platform: platform)
  }

  /// A database that was closed, and its redo files.
  private func closed() throws -> PlatformServices {
    let platform = PlatformServices.inMemory()
    let database = try open(platform)
    try database.defaultTree.updateValue([1], forKey: [1])
    try database.close()
    return platform
  }

  private func header(_ header: RedoSegmentHeader) -> [UInt8] {
    let gap = [UInt8](repeating: 0, count: 2048 - RedoSegmentHeader.bytes)
    return header.encoded() + gap + header.encoded() + gap
  }

  @Test(arguments: [UInt64.max, UInt64.max - 1, 1 << 63])
  func anIncarnationWithoutASuccessor(incarnation: UInt64) throws {
    let platform = try closed()
    let hostile = RedoSegmentHeader(
      serial: 500, incarnation: incarnation, base: 4096, payloadBytes: 4096,
      superblockSequence: 0)
    try TestFiles.write(platform.files, "/db/redo-00000000000001f4", header(hostile))
    #expect(code { try open(platform).close() } == .corruption)
  }

  @Test(arguments: [UInt64.max, 1 << 63, 1 << 41, 1 << 40, 0])
  func aSegmentThatClaimsMoreThanItsFileHolds(payload: UInt64) throws {
    let base = try closed()
    let newest = try #require(
      try SuperblockStore(files: base.files, directory: "/db").load())
    let hostile = RedoSegmentHeader(
      serial: 500, incarnation: newest.incarnation, base: newest.recoveryLSN + 1 << 30,
      payloadBytes: payload, superblockSequence: 0)
    let block = [UInt8](repeating: 7, count: 4096)
    try TestFiles.write(base.files, "/db/redo-00000000000001f4", header(hostile) + block)
    let files = HookedFileSystem(base.files)
    var platform = base
    platform.files = files
    _ = code { try open(platform).close() }
    #expect(files.takeCalls().filter { $0.operation == "read" }.count < 1000)
  }

  @Test(arguments: [UInt64.max, 1 << 62])
  func aCommitOfATreeWithoutASuccessor(tree: UInt64) throws {
    let platform = PlatformServices.inMemory()
    do {
      let database = try open(platform)
      let core = database.core
      let bytes = RedoLog.operationPieceBytes(tree: tree, key: 1, value: 1)
      try core.log.admit(pieceBytes: bytes)
      let lsn = try #require(core.log.reserve(bytes))
      unsafe [UInt8(1)].raw { one in
        unsafe core.log.fillOperation(
          lsn, bytes: bytes, tree: tree, key: ByteView(one), value: ByteView(one))
      }
      try core.log.flush()
    }
    #expect(code { try open(platform).close() } == .corruption)
  }

  /// The last group begins the new era, which begins at a block.
  @Test func aGroupThatDoesNotBeginABlock() throws {
    let platform = PlatformServices.inMemory()
    do {
      let database = try open(platform)
      try database.defaultTree.updateValue([1], forKey: [1])
      let log = database.core.log
      var payload = ByteWriter()
      payload.write(log.incarnation)
      payload.write(log.durable)
      payload.write(UInt64(0))
      try log.admit(pieceBytes: RedoFormat.groupBytes)
      let lsn = try #require(log.reserve(RedoFormat.groupBytes))
      unsafe payload.bytes.raw { unsafe log.fill(lsn, kind: .group, payload: $0) }
      try log.flush()
    }
    #expect(code { try open(platform).close() } == .corruption)
  }

  @Test(arguments: [UInt64.max, 1 << 62, 0, 1])
  func aNameOfATreeThatCannotBe(id: UInt64) throws {
    let platform = PlatformServices.inMemory()
    let database = try open(platform)
    _ = try database.core.catalogue.tree.updateValue(Catalogue.encode(id, .none), forKey: [65])
    try database.close()
    #expect(code { try open(platform).close() } == .corruption)
  }

  @Test func twoNamesOfOneTree() throws {
    let platform = PlatformServices.inMemory()
    let database = try open(platform)
    _ = try database.tree(named: "A")
    _ = try database.core.catalogue.tree.updateValue(
      Catalogue.encode(Catalogue.firstNamedID, .none), forKey: [66])
    try database.close()
    #expect(code { try open(platform).close() } == .corruption)
  }

  @Test func idsThatAreUsedUp() throws {
    let platform = PlatformServices.inMemory()
    do {
      let database = try open(platform)
      let log = database.core.log
      var payload = ByteWriter()
      payload.write(UInt64.max)
      let bytes = RedoFormat.pieceBytes(payload: 8)
      try log.admit(pieceBytes: bytes)
      let lsn = try #require(log.reserve(bytes))
      unsafe payload.bytes.raw { unsafe log.fill(lsn, kind: .identifiers, payload: $0) }
      try log.flush()
    }
    #expect(code { try open(platform).close() } == .corruption)
  }
}
