import EngineKit
import Platform
import Testing

@testable import SimulationKit

@Suite("What a power loss does to contents and lengths")
struct DiskPowerLossTests {
  /// A durable file of `old`, then the writes of `body`, unsynced.
  private func world(
    _ old: [UInt8], _ body: (any File) throws -> Void
  ) throws -> DiskWorld {
    let world = DiskWorld()
    try world.files.makeDurable("/a", in: "/", old)
    let file = try world.files.open("/a", .readWrite)
    try body(file)
    return world
  }

  /// Every content that the file can have after a power loss.
  private func outcomes(
    _ world: DiskWorld, allowing: DiskFaults = .all
  ) throws -> Set<[UInt8]> {
    var found: Set<[UInt8]> = []
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(choosing, allowing: allowing)
      found.insert(try #require(try after.files.contents("/a")))
    }
    return found
  }

  @Test("synced bytes are never touched")
  func syncedIsSafe() throws {
    let world = try world(bytes(1, 1536)) { file in
      try file.writeFully(bytes(2, 512), at: 512)
      try file.syncData()
    }
    #expect(!world.disk.hasPendingChanges)
    #expect(try outcomes(world) == [bytes(1, 512) + bytes(2, 512) + bytes(1, 512)])
  }

  @Test("unsynced sectors are kept or dropped independently, the synced one between them stays")
  func independentSectors() throws {
    let world = try world(bytes(1, 1536)) { file in
      try file.writeFully(bytes(2, 512), at: 0)
      try file.writeFully(bytes(3, 512), at: 1024)
    }
    var expected: Set<[UInt8]> = []
    for first in [1, 2] as [UInt8] {
      for last in [1, 3] as [UInt8] {
        expected.insert(bytes(first, 512) + bytes(1, 512) + bytes(last, 512))
      }
    }
    #expect(try outcomes(world, allowing: [.droppedWrite, .reorderedWrite]) == expected)
    // In order, the second is not there without the first.
    expected.remove(bytes(1, 1024) + bytes(3, 512))
    #expect(try outcomes(world, allowing: .droppedWrite) == expected)
    #expect(
      try outcomes(world, allowing: [.lostLength, .lostDirectoryEntry]).count == 1,
      "classes that are off do nothing")
    #expect(try outcomes(world, allowing: []).count == 1)
  }

  @Test("a torn sector is new up to a byte, old from there")
  func torn() throws {
    let world = try world(bytes(1, 512)) { try $0.writeFully(bytes(2, 512), at: 0) }
    var expected: Set<[UInt8]> = [bytes(2, 512)]
    for cut in 1..<512 { expected.insert(bytes(2, cut) + bytes(1, 512 - cut)) }
    #expect(try outcomes(world, allowing: .tornWrite) == expected)
    expected.insert(bytes(1, 512))
    #expect(try outcomes(world) == expected)
  }

  @Test("of several unsynced versions an older one may survive")
  func versions() throws {
    let world = try world(bytes(1, 512)) { file in
      for version in 2...4 { try file.writeFully(bytes(UInt8(version), 512), at: 0) }
    }
    #expect(world.disk.pendingSectors == 1)
    let all = Set((1...4).map { bytes(UInt8($0), 512) })
    #expect(try outcomes(world, allowing: [.droppedWrite, .reorderedWrite]) == all)
    #expect(
      try outcomes(world, allowing: .reorderedWrite) == all.subtracting([bytes(1, 512)]))
  }

  @Test("a lost length cuts the file; a length may come without its data")
  func lengths() throws {
    let world = try world(bytes(1, 100)) { file in
      try file.writeFully(bytes(2, 412), at: 100)
      try file.writeFully(bytes(3, 512), at: 512)
    }
    let sets = try outcomes(world, allowing: [.lostLength, .droppedWrite, .reorderedWrite])
    let old = bytes(1, 100)
    let full = old + bytes(2, 412)
    let empty = old + bytes(0, 412)
    #expect(
      sets == [
        old, full, empty, full + bytes(3, 512), full + bytes(0, 512), empty + bytes(3, 512),
        empty + bytes(0, 512),
      ])
    #expect(
      try outcomes(world, allowing: .lostLength) == [old, full, full + bytes(3, 512)])
  }

  @Test("a lost truncation brings the old bytes back, and not what was written after it")
  func truncation() throws {
    let world = try world(bytes(1, 1024)) { file in
      try file.truncate(to: 512)
      try file.writeFully(bytes(2, 512), at: 512)
    }
    let sets = try outcomes(world, allowing: [.lostLength, .droppedWrite, .reorderedWrite])
    let head = bytes(1, 512)
    #expect(
      sets == [head + bytes(1, 512), head, head + bytes(2, 512), head + bytes(0, 512)])
    // Where the truncation is there, the old bytes are not.
    #expect(
      try outcomes(world, allowing: [.droppedWrite, .reorderedWrite])
        == [head + bytes(2, 512), head + bytes(0, 512)])
    // The truncation is metadata: it is never half there.
    let cut = try self.world(bytes(1, 1024)) { try $0.truncate(to: 100) }
    #expect(try outcomes(cut) == [bytes(1, 1024), bytes(1, 100)])
  }

  @Test("a punched hole is like a write of zeros")
  func punched() throws {
    let world = try world(bytes(1, 4096)) { try $0.punchHole(offset: 0, length: 4096) }
    #expect(world.disk.allocatedBytes == 0)
    let sets = try outcomes(world, allowing: .droppedWrite)
    #expect(sets.contains(bytes(1, 4096)))
    #expect(sets.contains(bytes(0, 4096)))
    #expect(sets.contains(bytes(0, 512) + bytes(1, 3584)))
    #expect(!sets.contains(bytes(1, 512) + bytes(0, 3584)), "that would be out of order")
  }

  @Test("what a kill left unsynced can still be lost, a later sync saves it")
  func afterKill() throws {
    let world = try world(bytes(1, 512)) { try $0.writeFully(bytes(2, 512), at: 0) }
    world.disk.processKill()
    let allowed: DiskFaults = [.droppedWrite, .reorderedWrite]
    #expect(try outcomes(world, allowing: allowed).count == 2)
    let next = world.disk.mount(ScriptedGate())
    try next.open("/a", .readWrite).syncData()
    #expect(try outcomes(world, allowing: allowed) == [bytes(2, 512)])
  }

  @Test("every effect that is to be seen is counted, and no other")
  func counts() throws {
    let world = try world(bytes(1, 2048)) { file in
      try file.writeFully(bytes(2, 1024), at: 0)
      // The same bytes again: losing them loses nothing.
      try file.writeFully(bytes(1, 512), at: 1024)
      try file.writeFully(bytes(3, 100), at: 2048)
    }
    #expect(world.disk.pendingSectors == 4)
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(
        choosing, allowing: [.droppedWrite, .reorderedWrite, .lostLength])
      let contents = try #require(try after.files.contents("/a"))
      var dropped = 0
      if contents[0] == 1 { dropped += 1 }
      if contents[512] == 1 { dropped += 1 }
      if contents.count > 2048, contents[2048] == 0 { dropped += 1 }
      #expect(after.report.droppedWrites == dropped)
      #expect(after.report.lostLengths == (contents.count == 2048 ? 1 : 0))
      #expect(after.report.pendingSectors == 4)
      #expect(choosing.count(of: .droppedWrite) == dropped)
      #expect(choosing.count(of: .lostLength) == after.report.lostLengths)
      #expect(choosing.count(of: .tornWrite) == 0)
      #expect(choosing.count(of: .reorderedWrite) == after.report.reorderedWrites)
    }
  }

  @Test("a later write that survives an earlier one counts as reordered")
  func reorderedCount() throws {
    let world = try world(bytes(1, 1024)) { file in
      try file.writeFully(bytes(2, 512), at: 512)
      try file.writeFully(bytes(3, 512), at: 0)
    }
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(choosing, allowing: [.droppedWrite, .reorderedWrite])
      let isReordered = try after.files.contents("/a") == bytes(3, 512) + bytes(1, 512)
      #expect(after.report.reorderedWrites == (isReordered ? 1 : 0))
      #expect(choosing.count(of: .reorderedWrite) == (isReordered ? 1 : 0))
    }
  }

  @Test("all zeros keeps everything, and what is left afterwards is durable")
  func zeroKeeps() throws {
    let world = try world(bytes(1, 512)) { try $0.writeFully(bytes(2, 9_000), at: 0) }
    let after = world.afterPowerLoss(ScriptedGate())
    #expect(try after.files.contents("/a") == bytes(2, 9_000))
    #expect(!after.files.disk.hasPendingChanges)
    let idle = ScriptedGate()
    after.files.disk.powerLoss(choosing: idle)
    #expect(idle.draws.isEmpty, "nothing pending, nothing to draw")
  }

  @Test("thousands of pending sectors take few draws")
  func fewDraws() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(2, 1 << 20), at: 0)
    for seed in 0..<40 as Range<UInt64> {
      let choosing = ScriptedGate(seed: seed)
      _ = world.afterPowerLoss(choosing, allowing: [.droppedWrite, .reorderedWrite])
      #expect(choosing.draws.count <= 2 + 2048 / 8)
    }
  }
}
