import Platform
import Testing

@testable import Luge

@Suite struct PageSpaceTests {
  /// Ten segments with one record each, all of them synced, and the last one still open.
  private func filled(
    _ world: PlatformServices
  ) throws -> (store: PageStore, parts: [PagePart]) {
    let store = try PageStoreFixture.open(world)
    var parts: [PagePart] = []
    for _ in 0..<10 { parts.append(try store.append(.leaf, [UInt8](repeating: 1, count: 20_000))) }
    try store.sync()
    #expect(Set(parts.map(\.address.serial)).count == 10)
    return (store, parts)
  }

  @Test func liveBytesAreExact() throws {
    let store = try PageStoreFixture.open(try TestFiles.world([]))
    var random = SplitMix(44)
    var live: [PagePart] = []
    for _ in 0..<300 {
      if live.isEmpty || random.below(3) > 0 {
        live.append(
          try store.append(
            .leaf, random.bytes(random.below(2000)), to: random.below(2) == 0 ? .hot : .cold))
      } else {
        try store.release(live.remove(at: random.below(live.count)))
      }
    }
    var expected = SegmentBytes()
    for part in live { expected.add(part) }
    #expect(try store.liveBytes() == expected)
    #expect(store.releaseViolations == 0)
  }

  @Test func releasingMoreThanIsLiveIsReportedAndHarmless() throws {
    let store = try PageStoreFixture.open(try TestFiles.world([]))
    let part = try store.append(.leaf, [1])
    try store.release(PagePart(address: part.address, length: 100))
    try store.release(PagePart(address: PageAddress(rawValue: .max), length: .max - 100))
    #expect(store.releaseViolations == 2)
    #expect(try store.liveBytes().bytes(of: part.address.serial) == 32)
  }

  @Test func aSegmentGoesWhenNothingNamesIt() throws {
    let world = try TestFiles.world([])
    let (store, parts) = try filled(world)
    var named = SegmentBytes()
    named.add(parts[3])
    try store.noteNamed(named)
    #expect(try store.reclaim() == 0, "all is live")
    for part in [parts[0], parts[3], parts[9]] { try store.release(part) }
    #expect(try store.reclaim() == 1, "one is named, one is appended to")
    let code = PageStoreFixture.code { _ = try store.read(parts[0], .leaf) }
    #expect(code == .corruption)
    for part in parts[1...] { #expect(try store.read(part, .leaf).payload.count == 20_000) }
    try store.noteNamed(SegmentBytes())
    #expect(try store.reclaim() == 1)
    #expect(PageStoreFixture.code { _ = try store.read(parts[3], .leaf) } == .corruption)
    #expect(try PageStoreFixture.open(world).segmentList().count == 8)
  }

  @Test func whatNoSuperblockNamesGoesAfterReopening() throws {
    let world = try TestFiles.world([])
    let (first, parts) = try filled(world)
    first.close()
    let store = try PageStoreFixture.open(world)
    var named = SegmentBytes()
    named.add(parts[2])
    try store.adopt(named)
    #expect(try store.liveBytes() == named)
    #expect(try store.namedBytes() == named)
    #expect(try store.reclaim() == 9)
    #expect(try store.read(parts[2], .leaf).payload.count == 20_000)
  }

  @Test func aMissingOrShortSegmentIsReported() throws {
    let world = try TestFiles.world([])
    let (first, parts) = try filled(world)
    first.close()
    var named = SegmentBytes()
    named.add(1 << 20, to: parts[2].address.serial)
    #expect(
      PageStoreFixture.code { try PageStoreFixture.open(world).adopt(named) } == .corruption)
    var other = SegmentBytes()
    other.add(1, to: 77)
    #expect(
      PageStoreFixture.code { try PageStoreFixture.open(world).adopt(other) } == .corruption)
  }

  @Test func aSegmentThatCannotBeRemovedIsTriedAgain() throws {
    let (files, platform) = try PageStoreFixture.hooked()
    let (store, parts) = try filled(platform)
    for part in parts[0..<4] { try store.release(part) }
    files.setHook { $0.operation == "remove" ? .inputOutput : nil }
    #expect(try store.reclaim() == 0)
    files.setHook(nil)
    #expect(try store.reclaim() == 4)
    #expect(try store.reclaim() == 0)
  }
}
