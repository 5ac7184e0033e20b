import Platform
import Testing

@testable import Luge

@Suite struct PageStoreTests {
  private static let segmentBytes = PageStoreFixture.segmentBytes

  private func open(
    _ platform: PlatformServices, nextSerial: UInt64 = 1, bufferBytes: Int = 256 << 10
  ) throws -> PageStore {
    try PageStoreFixture.open(platform, nextSerial: nextSerial, bufferBytes: bufferBytes)
  }

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    PageStoreFixture.code(body)
  }

  @Test(arguments: [0, 3000, 256 << 10])
  func recordsComeBackAfterReopening(bufferBytes: Int) throws {
    let world = try TestFiles.world([])
    let store = try open(world, bufferBytes: bufferBytes)
    var random = SplitMix(40)
    var records: [(PagePart, PageKind, [UInt8])] = []
    for round in 0..<200 {
      let kind: PageKind = random.below(5) == 0 ? .directory : .leaf
      let stream: PageStream = random.below(4) == 0 ? .cold : .hot
      let payload = random.bytes(random.below(3000))
      records.append((try store.append(kind, payload, to: stream), kind, payload))
      let (part, _, _) = records[random.below(records.count)]
      #expect(part.length == (try store.read(part.address, kindOf(part, records)).count))
      if round % 20 == 19 { try store.sync() }
    }
    for (part, kind, payload) in records { #expect(try store.read(part, kind).payload == payload) }
    let other = try open(world)
    for (part, kind, payload) in records {
      #expect(try other.read(part.address, kind) == payload)
    }
    #expect(Set(records.map(\.0.address.rawValue)).count == records.count)
    #expect(try other.segmentList().count > 5)
    for segment in try other.segmentList() { #expect(segment.fileBytes <= Self.segmentBytes) }
  }

  private func kindOf(
    _ part: PagePart, _ records: [(PagePart, PageKind, [UInt8])]
  ) -> PageKind {
    records.first { $0.0 == part }?.1 ?? .leaf
  }

  @Test func oneRoundReadsPartsOfSeveralFilesAndBuffers() throws {
    let store = try open(try TestFiles.world([]), bufferBytes: 5000)
    var random = SplitMix(43)
    var parts: [PagePart] = []
    var payloads: [[UInt8]] = []
    for index in 0..<60 {
      payloads.append(random.bytes(random.below(2500)))
      parts.append(try store.append(.leaf, payloads[index], to: index % 3 == 0 ? .cold : .hot))
    }
    #expect(try store.read(parts, .leaf).map(\.payload) == payloads)
    #expect(store.counters.recordsReadFromBuffers.load() > 0)
    #expect(store.counters.recordsRead.load() > 30)
    #expect(store.counters.readRounds.load() == 1)
    // The streams share no segment.
    let cold = Set(stride(from: 0, to: 60, by: 3).map { parts[$0].address.serial })
    for index in 0..<60 where index % 3 != 0 {
      #expect(!cold.contains(parts[index].address.serial))
    }
  }

  @Test func theLargestPayloadFitsAndOneMoreDoesNot() throws {
    let store = try open(try TestFiles.world([]))
    let largest = store.largestPayload
    let payload = [UInt8](repeating: 7, count: largest)
    let first = try store.append(.leaf, payload)
    let second = try store.append(.leaf, payload)
    #expect(first.address.serial != second.address.serial)
    try store.sync()
    #expect(try store.read(first, .leaf).payload == payload)
    #expect(code { _ = try store.append(.leaf, payload + [1]) } == .tooLarge)
  }

  @Test func whatWasSyncedIsNotWrittenAgain() throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try open(platform)
    _ = try store.append(.leaf, [1, 2, 3])
    #expect(files.takeCalls().isEmpty, "an append waits for no device")
    try store.sync()
    #expect(files.takeCalls().map(\.operation) == ["create", "write", "sync", "syncDirectory"])
    _ = try store.append(.leaf, [4])
    try store.sync()
    let later = files.takeCalls()
    #expect(later.map(\.operation) == ["write", "sync"], "the name is durable by now")
    #expect(later[0].offset == 8192)
    try store.sync()
    #expect(files.takeCalls().isEmpty)
  }

  @Test func aSyncCoversBothStreams() throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try open(platform)
    let hot = try store.append(.leaf, [1], to: .hot)
    let cold = try store.append(.leaf, [2], to: .cold)
    try store.sync()
    let calls = files.takeCalls()
    for part in [hot, cold] {
      let path = store.path(part.address.serial)
      #expect(calls.filter { $0.path == path }.map(\.operation) == ["create", "write", "sync"])
    }
    #expect(calls.last?.operation == "syncDirectory")
  }

  @Test func anOpeningNeverAppendsToAnOldSegment() throws {
    let world = try TestFiles.world([])
    let first = try open(world)
    let old = try first.append(.leaf, [1])
    try first.sync()
    first.close()
    let new = try open(world).append(.leaf, [2])
    #expect(new.address.serial > old.address.serial)
    #expect(try open(world, nextSerial: 77).append(.leaf, [3]).address.serial == 77)
  }

  @Test func fewFilesAreOpenHoweverManySegmentsAreRead() throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let store = try PageStore(
      platform: platform, directory: "/db", segmentBytes: Self.segmentBytes, nextSerial: 1,
      openFiles: 3)
    var parts: [PagePart] = []
    for _ in 0..<40 { parts.append(try store.append(.leaf, [UInt8](repeating: 1, count: 9000))) }
    try store.sync()
    _ = files.takeCalls()
    for part in parts { #expect(try store.read(part, .leaf).payload.count == 9000) }
    #expect(files.takeCalls().filter { $0.operation == "open" }.count >= 10)
    #expect(files.openFiles <= 3 + 1, "and the one being written")
    // All in one round: each is held while it is read.
    #expect(try store.read(parts, .leaf).count == 40)
    #expect(files.openFiles <= 3 + 1)
    store.close()
    #expect(files.openFiles == 0)
  }
}
