import Platform
import Testing

@testable import Luge

@Suite struct SuperblockTests {
  private func block(_ seed: UInt64) -> Superblock {
    var random = SplitMix(seed)
    var block = Superblock()
    block.redoSegmentPayload = UInt64(1 + random.below(1000)) * 4096
    block.pageSegmentBytes = UInt64(2 + random.below(1000)) * 4096
    block.pageTargetBytes = random.next()
    block.recoveryLSN = 4096 + random.next() >> 4
    block.durableLSN = random.next() >> 4 & ~4095
    for era in 1...1 + UInt64(random.below(Superblock.mostEras)) {
      block.eras.append(RedoEra(incarnation: era * 7 + seed, start: era * 4096))
    }
    block.directoryAddress = random.next()
    block.directoryBytes = random.next()
    block.tableAddress = random.next()
    block.tableBytes = random.next()
    block.nextPageSerial = random.next() >> 36
    block.idsReserved = random.next() >> 4
    block.nextTreeID = random.next() >> 4
    block.wasClosed = seed % 2 == 1
    block.valueSegmentBytes = UInt64(2 + random.below(1000)) * 4096
    block.nextValueSerial = random.next() >> 36
    block.valueTableAddress = random.next()
    block.valueTableBytes = random.next()
    return block
  }

  private func load(_ files: any FileSystem) throws -> Superblock? {
    let store = SuperblockStore(files: files, directory: "/db")
    defer { store.close() }
    return try store.load()
  }

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    do { try body() } catch { return (error as? LugeError)?.code }
    return nil
  }

  @Test func superblocksComeBackFromSlotsInTurn() throws {
    let world = try TestFiles.world([])
    #expect(try load(world.files) == nil)
    let store = SuperblockStore(files: world.files, directory: "/db")
    #expect(try store.load() == nil)
    var expected = try store.create(block(0))
    #expect(expected.sequence == 1)
    for round in 1..<20 {
      #expect(try load(world.files) == expected)
      let before = try TestFiles.read(world.files, "/db/SUPERBLOCK")
      expected = try store.write(block(UInt64(round)))
      #expect(expected.sequence == UInt64(round) + 1)
      let after = try TestFiles.read(world.files, "/db/SUPERBLOCK")
      let untouched = round % 2 == 1 ? 0..<4096 : 4096..<8192
      #expect(before[untouched] == after[untouched], "the newest slot is not written to")
    }
    #expect(try load(world.files) == expected)
    #expect(try world.files.list("/db") == ["SUPERBLOCK"])
  }

  @Test func anyBitMayRot() throws {
    let world = try TestFiles.world([])
    let store = SuperblockStore(files: world.files, directory: "/db")
    try store.create(block(1))
    let newest = try store.write(block(2))
    let bytes = try TestFiles.read(world.files, "/db/SUPERBLOCK")
    var random = SplitMix(30)
    for index in bytes.indices {
      var rotten = bytes
      rotten[index] ^= 1 << UInt8(random.below(8))
      let other = try TestFiles.world([("SUPERBLOCK", rotten)])
      #expect(try load(other.files) == newest, "byte \(index)")
    }
  }

  @Test func aTornWriteLeavesTheFormerOne() throws {
    let world = try TestFiles.world([])
    let store = SuperblockStore(files: world.files, directory: "/db")
    let first = try store.create(block(1))
    let before = try TestFiles.read(world.files, "/db/SUPERBLOCK")
    let second = try store.write(block(2))
    let after = try TestFiles.read(world.files, "/db/SUPERBLOCK")
    // Any of the eight sectors of the slot written may have arrived.
    for sectors in 0..<256 {
      var torn = before
      for sector in 0..<8 where sectors & 1 << sector != 0 {
        let range = 4096 + sector * 512..<4096 + (sector + 1) * 512
        torn.replaceSubrange(range, with: after[range])
      }
      let other = try TestFiles.world([("SUPERBLOCK", torn)])
      let found = try #require(try load(other.files))
      #expect(found == first || found == second)
    }
  }

  @Test func foreignDamagedAndNewerFilesAreToldApart() throws {
    let world = try TestFiles.world([])
    try SuperblockStore(files: world.files, directory: "/db").create(block(1))
    let good = try TestFiles.read(world.files, "/db/SUPERBLOCK")
    func outcome(_ bytes: [UInt8]) throws -> LugeError.Code? {
      let world = try TestFiles.world([("SUPERBLOCK", bytes)])
      let result = code { _ = try load(world.files) }
      #expect(try TestFiles.read(world.files, "/db/SUPERBLOCK") == bytes, "nothing is overwritten")
      return result
    }
    #expect(try outcome([]) == .notADatabase)
    #expect(try outcome(Array("hello".utf8)) == .notADatabase)
    #expect(try outcome([UInt8](repeating: 0, count: 8192)) == .notADatabase)
    #expect(try outcome(Array(good[0..<1000])) == .corruption)
    #expect(try outcome(Array(good[0..<8191])) == .corruption)
    #expect(try outcome(good) == nil)
    var damaged = good
    damaged[100] ^= 1
    damaged[2148] ^= 1
    #expect(try outcome(damaged) == .corruption)
    var newer = ByteWriter()
    newer.write(Array(good[0..<12]))
    newer.write(UInt32(2))
    newer.write(Array(good[16..<2048]))
    // Both directions of what the checksum covers are fixed for all versions.
    let body = Array(newer.bytes[12...])
    let head = crc32cOf(Array(newer.bytes[0..<8]), seed: 0)
    newer.patch(crc32cOf(body, seed: head), at: 8)
    #expect(try outcome(newer.bytes + good[2048...]) == .unsupportedVersion)
  }

  private func crc32cOf(_ bytes: [UInt8], seed: UInt32) -> UInt32 {
    unsafe bytes.raw { unsafe crc32c($0, seed: seed) }
  }

  @Test func whatNoEngineWroteIsReportedDespiteItsChecksum() throws {
    let changes: [(inout Superblock) -> Void] = [
      { $0.recoveryLSN = .max }, { $0.recoveryLSN = 0 }, { $0.durableLSN = .max - 100 },
      { $0.durableLSN += 8 },
      { $0.eras = [] }, { $0.eras[0].incarnation = .max }, { $0.eras[0].start += 1 },
      { $0.eras[0].start = .max }, { $0.eras.append($0.eras[0]) }, { $0.sequence = .max },
      { $0.nextTreeID = .max },
      { $0.idsReserved = .max }, { $0.nextPageSerial = .max }, { $0.pageSegmentBytes = .max },
      { $0.pageSegmentBytes = 8191 }, { $0.redoSegmentPayload = .max },
      { $0.redoSegmentPayload = 0 }, { $0.redoSegmentPayload = 5000 },
      { $0.valueSegmentBytes = 0 }, { $0.valueSegmentBytes = .max }, { $0.nextValueSerial = .max },
    ]
    for change in changes {
      var hostile = block(3)
      hostile.sequence = 7
      let empty = [UInt8](repeating: 0, count: 4096)
      func found() throws -> LugeError.Code? {
        let bytes = hostile.encoded() + hostile.encoded() + empty
        return code { _ = try load(TestFiles.world([("SUPERBLOCK", bytes)]).files) }
      }
      #expect(try found() == nil)
      change(&hostile)
      #expect(try found() == .corruption)
    }
  }

  @Test func randomBytesNeverTrap() throws {
    var random = SplitMix(31)
    for _ in 0..<200 {
      var bytes = random.bytes(random.below(9000))
      if bytes.count > 8, random.below(2) == 0 {
        bytes.replaceSubrange(0..<8, with: Array("LugeRoot".utf8))
      }
      let world = try TestFiles.world([("SUPERBLOCK", bytes)])
      #expect(code { _ = try load(world.files) } != nil)
    }
  }

  @Test func aFailedWriteKeepsTheFormerOneAndAFailedSyncIsFinal() throws {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    let store = SuperblockStore(files: files, directory: "/db")
    let first = try store.create(block(1))
    files.setHook { $0.operation == "write" ? .noSpace : nil }
    #expect(code { try store.write(block(2)) } == .noSpace)
    files.setHook(nil)
    #expect(try load(files.inner) == first)
    #expect(store.newest == first && !store.hasFailed)
    let second = try store.write(block(3))
    #expect(second.sequence == 3, "a sequence is not given twice")
    files.setHook { $0.operation == "sync" ? .inputOutput : nil }
    #expect(code { try store.write(block(4)) } == .inputOutput)
    files.setHook(nil)
    #expect(store.hasFailed)
    _ = files.takeCalls()
    #expect(code { try store.write(block(5)) } == .failed)
    #expect(files.takeCalls().isEmpty)
  }

  @Test func whatWasFoundIsWrittenAgainBeforeTheOtherSlotIsTouched() throws {
    let world = try TestFiles.world([])
    let first = SuperblockStore(files: world.files, directory: "/db")
    try first.create(block(1))
    try first.write(block(2))
    let files = HookedFileSystem(world.files)
    let second = SuperblockStore(files: files, directory: "/db")
    let found = try #require(try second.load())
    #expect(files.takeCalls().last?.operation == "syncDirectory")
    let next = try second.write(block(3))
    let calls = files.takeCalls()
    #expect(calls.map(\.operation) == ["write", "sync", "write", "sync"])
    #expect(calls.map(\.offset) == [4096, 0, 0, 0])
    #expect(next.sequence == found.sequence + 1)
    try second.write(block(4))
    #expect(files.takeCalls().map(\.operation) == ["write", "sync"])
    #expect(try load(world.files) == second.newest)
  }

  @Test func creationIsWholeBeforeItHasTheName() throws {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    let store = SuperblockStore(files: files, directory: "/db")
    try store.create(block(1))
    let operations = files.takeCalls().map(\.operation).filter { $0 != "truncate" }
    #expect(operations == ["open", "write", "sync", "rename", "syncDirectory", "open"])
  }
}
