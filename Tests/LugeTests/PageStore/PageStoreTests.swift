import Platform
import Testing

@testable import Luge

@Suite struct PageStoreTests {
  private static let segmentBytes = 32 << 10

  private func open(
    _ platform: PlatformServices, nextSerial: UInt64 = 1
  ) throws -> PageStore {
    try PageStore(
      platform: platform, directory: "/db", segmentBytes: Self.segmentBytes,
      nextSerial: nextSerial)
  }

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    do { try body() } catch { return (error as? LugeError)?.code }
    return nil
  }

  private func hooked() throws -> (HookedFileSystem, PlatformServices) {
    let files = HookedFileSystem(try TestFiles.world([]).files)
    var platform = PlatformServices.inMemory()
    platform.files = files
    return (files, platform)
  }

  @Test func recordsComeBackAfterReopening() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    var random = SplitMix(40)
    var records: [(PageAddress, PageKind, [UInt8])] = []
    for round in 0..<200 {
      let kind: PageKind = random.below(5) == 0 ? .directory : .leaf
      let payload = random.bytes(random.below(3000))
      records.append((try store.append(kind, payload), kind, payload))
      if round % 20 == 19 { try store.sync() }
    }
    for (address, kind, payload) in records { #expect(try store.read(address, kind) == payload) }
    let other = try open(world)
    for (address, kind, payload) in records { #expect(try other.read(address, kind) == payload) }
    #expect(Set(records.map(\.0.rawValue)).count == records.count)
    #expect(try other.segmentSizes().count > 5)
    for (_, bytes) in try other.segmentSizes() { #expect(bytes <= Self.segmentBytes) }
  }

  @Test func theLargestPayloadFitsAndOneMoreDoesNot() throws {
    let store = try open(try TestFiles.world([]))
    let largest = store.largestPayload
    let payload = [UInt8](repeating: 7, count: largest)
    let first = try store.append(.leaf, payload)
    let second = try store.append(.leaf, payload)
    #expect(first.serial != second.serial)
    try store.sync()
    #expect(try store.read(first, .leaf) == payload)
    #expect(code { _ = try store.append(.leaf, payload + [1]) } == .tooLarge)
  }

  @Test func whatWasSyncedIsNotWrittenAgain() throws {
    let (files, platform) = try hooked()
    let store = try open(platform)
    _ = try store.append(.leaf, [1, 2, 3])
    try store.sync()
    let operations = files.takeCalls().map(\.operation)
    #expect(operations == ["create", "write", "sync", "syncDirectory"])
    _ = try store.append(.leaf, [4])
    try store.sync()
    let later = files.takeCalls()
    #expect(later.map(\.operation) == ["write", "sync"], "the name is durable by now")
    #expect(later[0].offset == 8192)
    try store.sync()
    #expect(files.takeCalls().isEmpty)
  }

  @Test func anOpeningNeverAppendsToAnOldSegment() throws {
    let world = try TestFiles.world([])
    let first = try open(world)
    let old = try first.append(.leaf, [1])
    try first.sync()
    first.close()
    let new = try open(world).append(.leaf, [2])
    #expect(new.serial > old.serial)
    #expect(try open(world, nextSerial: 77).append(.leaf, [3]).serial == 77)
  }

  @Test func anyRottenByteIsReported() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    var random = SplitMix(41)
    let payload = random.bytes(200)
    _ = try store.append(.leaf, random.bytes(50))
    let address = try store.append(.leaf, payload)
    try store.sync()
    let file = try TestFiles.contents(world.files)[0]
    for index in address.offset..<address.offset + 224 {
      var bytes = file.bytes
      bytes[index] ^= 1 << UInt8(random.below(8))
      let rotten = try open(try TestFiles.world([(file.name, bytes)]))
      #expect(code { _ = try rotten.read(address, .leaf) } == .corruption, "byte \(index)")
    }
    for offset in PageFormat.copyOffsets {
      for index in offset..<offset + PageFormat.segmentHeaderBytes {
        var bytes = file.bytes
        bytes[index] ^= 1
        #expect(try open(try TestFiles.world([(file.name, bytes)])).read(address, .leaf) == payload)
      }
    }
  }

  @Test func wrongAddressesKindsAndFilesAreReported() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    let address = try store.append(.leaf, [UInt8](repeating: 1, count: 100))
    try store.sync()
    let file = try TestFiles.contents(world.files)[0]
    #expect(code { _ = try store.read(address, .directory) } == .corruption)
    for offset in [0, 8, 4095, 4104, 1 << 30] {
      let wrong = PageAddress(serial: address.serial, offset: offset)
      #expect(code { _ = try store.read(wrong, .leaf) } == .corruption)
    }
    #expect(code { _ = try store.read(PageAddress(rawValue: .max), .leaf) } == .corruption)
    // A file under another's name: the record says where it belongs.
    let moved = try open(try TestFiles.world([("page-0000000000000005", file.bytes)]))
    let elsewhere = PageAddress(serial: 5, offset: address.offset)
    #expect(code { _ = try moved.read(elsewhere, .leaf) } == .corruption)
    for cut in stride(from: 0, to: file.bytes.count, by: 7) {
      let short = try open(try TestFiles.world([(file.name, Array(file.bytes[0..<cut]))]))
      #expect(code { _ = try short.read(address, .leaf) } == .corruption || cut >= 4220)
    }
  }

  @Test func aFailedWriteLosesNothing() throws {
    let (files, platform) = try hooked()
    let store = try open(platform)
    let synced = try store.append(.leaf, [1, 2, 3])
    try store.sync()
    let buffered = try store.append(.leaf, [4])
    files.setHook { $0.operation == "write" ? .noSpace : nil }
    #expect(code { try store.sync() } == .noSpace)
    #expect(try store.read(buffered, .leaf) == [4], "from the buffer")
    let large = [UInt8](repeating: 5, count: store.largestPayload)
    #expect(code { _ = try store.append(.leaf, large) } == .noSpace, "another segment is needed")
    let after = try store.append(.leaf, [6])
    files.setHook(nil)
    try store.sync()
    store.close()
    let other = try open(platform)
    let all: [(PageAddress, [UInt8])] = [(synced, [1, 2, 3]), (buffered, [4]), (after, [6])]
    for (address, payload) in all {
      #expect(try other.read(address, .leaf) == payload)
    }
  }

  @Test(arguments: ["sync", "syncDirectory"])
  func aFailedSyncIsFinal(operation: String) throws {
    let (files, platform) = try hooked()
    let store = try open(platform)
    _ = try store.append(.leaf, [1])
    files.setHook { $0.operation == operation ? .inputOutput : nil }
    #expect(code { try store.sync() } == .inputOutput)
    files.setHook(nil)
    #expect(store.hasFailed)
    #expect(code { try store.sync() } == .failed)
    #expect(code { _ = try store.append(.leaf, [2]) } == .failed)
  }

  @Test func onlyDeadSegmentsAreRemoved() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    var addresses: [PageAddress] = []
    for _ in 0..<40 {
      addresses.append(try store.append(.leaf, [UInt8](repeating: 1, count: 4000)))
    }
    try store.sync()
    let serials = try store.segmentSizes().map(\.serial)
    #expect(serials.count > 4)
    let live = [serials[1], serials[3]]
    #expect(try store.removeSegments(notIn: live) == serials.count - 3)
    let left = try open(world).segmentSizes().map(\.serial)
    #expect(left == [serials[1], serials[3], serials[serials.count - 1]])
    for address in addresses where left.contains(address.serial) {
      #expect(try store.read(address, .leaf).count == 4000)
    }
    for address in addresses where !left.contains(address.serial) {
      #expect(code { _ = try store.read(address, .leaf) } == .corruption)
    }
  }
}
