import Platform
import Testing

@testable import Luge

@Suite struct PageScanTests {
  @Test func aScanMeetsEveryRecord() throws {
    let world = try TestFiles.world([])
    let store = try PageStoreFixture.open(world)
    var random = SplitMix(71)
    var parts: [PagePart] = []
    var payloads: [[UInt8]] = []
    for round in 0..<60 {
      payloads.append(random.bytes(random.below(3000)))
      parts.append(try store.append(round % 5 == 0 ? .directory : .leaf, payloads[round]))
      if random.below(7) == 0 { try store.sync() }
    }
    try store.sync()
    var found: [PagePart] = []
    for segment in try store.segmentList() {
      let scan = try store.scan(segment.serial) { record in
        let index = parts.firstIndex(of: record.part) ?? 0
        #expect(record.payload == payloads[index])
        #expect(record.kind == (index % 5 == 0 ? .directory : .leaf))
        found.append(record.part)
      }
      #expect(scan.bytesRead > 0)
    }
    #expect(found == parts)
  }

  @Test func damageIsPassedOver() throws {
    let world = try TestFiles.world([])
    let store = try PageStoreFixture.open(world)
    var parts: [PagePart] = []
    for _ in 0..<6 {
      parts.append(try store.append(.leaf, [UInt8](repeating: 3, count: 1000)))
      try store.sync()
    }
    let serial = parts[0].address.serial
    var bytes = try TestFiles.read(world.files, store.path(serial))
    // The length of one, the payload of another: a length is not believed before the sum is right.
    bytes[parts[1].address.offset + 5] ^= 1
    bytes[parts[3].address.offset + 500] ^= 1
    try TestFiles.write(world.files, store.path(serial), bytes)
    var found: [PagePart] = []
    _ = try PageStoreFixture.open(world).scan(serial) { found.append($0.part) }
    #expect(found == [parts[0], parts[2], parts[4], parts[5]])
  }

  @Test func randomBytesNeverTrap() throws {
    var random = SplitMix(72)
    for _ in 0..<50 {
      let world = try TestFiles.world([])
      let first = try PageStoreFixture.open(world)
      _ = try first.append(.leaf, random.bytes(random.below(9000)))
      try first.sync()
      var bytes = try TestFiles.read(world.files, first.path(1))
      for _ in 0..<20 { bytes[4096 + random.below(bytes.count - 4096)] = UInt8(random.below(256)) }
      try TestFiles.write(world.files, first.path(1), bytes)
      let scan = try PageStoreFixture.open(world).scan(1) { _ in }
      #expect(scan.records <= 1)
    }
  }
}
