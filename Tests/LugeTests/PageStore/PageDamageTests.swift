import Platform
import Testing

@testable import Luge

@Suite struct PageDamageTests {
  private func open(_ platform: PlatformServices) throws -> PageStore {
    try PageStoreFixture.open(platform)
  }

  private func code(_ body: () throws -> Void) -> LugeError.Code? {
    PageStoreFixture.code(body)
  }

  @Test func anyRottenByteIsReported() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    var random = SplitMix(41)
    let payload = random.bytes(200)
    _ = try store.append(.leaf, random.bytes(50))
    let part = try store.append(.leaf, payload)
    let start = part.address.offset
    try store.sync()
    let file = try TestFiles.contents(world.files)[0]
    for index in start..<start + 224 {
      var bytes = file.bytes
      bytes[index] ^= 1 << UInt8(random.below(8))
      let rotten = try open(try TestFiles.world([(file.name, bytes)]))
      #expect(code { _ = try rotten.read(part, .leaf) } == .corruption, "byte \(index)")
      #expect(code { _ = try rotten.read(part.address, .leaf) } == .corruption, "byte \(index)")
    }
    for offset in PageFormat.copyOffsets {
      for index in offset..<offset + PageFormat.segmentHeaderBytes {
        var bytes = file.bytes
        bytes[index] ^= 1
        let rotten = try open(try TestFiles.world([(file.name, bytes)]))
        #expect(try rotten.read(part, .leaf).payload == payload)
      }
    }
  }

  @Test func wrongAddressesKindsAndFilesAreReported() throws {
    let world = try TestFiles.world([])
    let store = try open(world)
    let part = try store.append(.leaf, [UInt8](repeating: 1, count: 100))
    let address = part.address
    try store.sync()
    let file = try TestFiles.contents(world.files)[0]
    #expect(code { _ = try store.read(part, .directory) } == .corruption)
    for length in [0, 99, 101, 1 << 20, -1] {
      let wrong = PagePart(address: address, length: length)
      #expect(code { _ = try store.read(wrong, .leaf) } == .corruption)
    }
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
      #expect(code { _ = try short.read(part, .leaf) } == .corruption || cut >= 4220)
    }
  }

  @Test func aTableOfBytesIsReadBackOrRefused() throws {
    var random = SplitMix(42)
    var table = SegmentBytes()
    var model: [UInt64: UInt64] = [:]
    for _ in 0..<500 {
      let serial = UInt64(random.below(60))
      let bytes = UInt64(random.below(1000))
      if random.below(3) > 0 {
        table.add(bytes, to: serial)
        model[serial, default: 0] += bytes
      } else {
        let fits = model[serial, default: 0] >= bytes
        #expect(table.subtract(bytes, from: serial) == fits)
        if fits { model[serial, default: 0] -= bytes }
      }
      #expect(table.bytes(of: serial) == model[serial, default: 0])
    }
    #expect(table.entries.map(\.serial) == model.filter { $0.value > 0 }.keys.sorted())
    let bytes = table.encode()
    #expect(SegmentBytes.decode(bytes) == table)
    #expect(SegmentBytes.decode(SegmentBytes().encode()) == SegmentBytes())
    for cut in 0..<bytes.count { #expect(SegmentBytes.decode(Array(bytes[0..<cut])) == nil) }
    for _ in 0..<2000 {
      var other = bytes
      other[random.below(bytes.count)] = UInt8(random.below(256))
      // Whatever it says, it ascends and holds no zeros.
      guard let decoded = SegmentBytes.decode(other) else { continue }
      let serials = decoded.entries.map(\.serial)
      #expect(serials == serials.sorted() && Set(serials).count == serials.count)
      #expect(decoded.entries.allSatisfy { $0.bytes > 0 })
    }
    #expect(SegmentBytes.decode([1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]) == nil)
  }
}
