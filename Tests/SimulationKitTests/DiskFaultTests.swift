import EngineKit
import Platform
import Testing

@testable import SimulationKit

@Suite("Faults of single calls")
struct DiskFaultTests {
  /// A world with a durable file "/a" of `count` ones, open.
  private func start(_ count: Int = 1024) throws -> (DiskWorld, any File) {
    let world = DiskWorld()
    try world.files.makeDurable("/a", in: "/", bytes(1, count))
    return (world, try world.files.open("/a", .readWrite))
  }

  private func code(_ body: () throws -> Void) -> PlatformError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? PlatformError)?.code
    }
  }

  @Test("a read error returns nothing and harms nothing")
  func readError() throws {
    let (world, file) = try start()
    world.gate.armed = [.readError]
    #expect(code { _ = try file.readFully(at: 0, count: 10) } == .inputOutput)
    #expect(try file.readFully(at: 0, count: 10) == bytes(1, 10))
    world.gate.armed = [.readError]
    let requests = [ReadRequest(offset: 0, length: 4), ReadRequest(offset: 8, length: 4)]
    #expect(code { _ = try file.readParallel(requests) } == .inputOutput)
    #expect(try file.readParallel(requests) == [bytes(1, 4), bytes(1, 4)])
    #expect(world.gate.count(of: .readError) == 2)
  }

  @Test("a failed write leaves a prefix, possibly empty")
  func writeError() throws {
    var lengths: Set<Int> = []
    for drawn in [0, 3, 9] as [UInt64] {
      let (world, file) = try start(20)
      world.gate.script = [drawn]
      world.gate.armed = [.writeError]
      #expect(code { try file.writeFully(bytes(2, 10), at: 0) } == .inputOutput)
      #expect(world.gate.draws.map(\.bound) == [10])
      let found = try file.readFully(at: 0, count: 20)
      #expect(found == bytes(2, Int(drawn)) + bytes(1, 20 - Int(drawn)))
      lengths.insert(Int(drawn))
    }
    #expect(lengths.count == 3)
  }

  @Test("no space: writes, allocations and creations fail and change nothing")
  func noSpace() throws {
    let (world, file) = try start()
    world.gate.armed = [.noSpace, .noSpace, .noSpace, .noSpace, .noSpace]
    #expect(code { try file.writeFully(bytes(2, 10), at: 0) } == .noSpace)
    #expect(code { try file.allocate(offset: 0, length: 9_000) } == .noSpace)
    #expect(code { _ = try world.files.open("/b", .createNew) } == .noSpace)
    #expect(code { try world.files.createDirectory("/d") } == .noSpace)
    #expect(code { _ = try world.files.lock("/l") } == .noSpace)
    #expect(try world.files.list("/") == ["a"])
    #expect(try world.files.contents("/a") == bytes(1, 1024))
    #expect(!world.disk.hasPendingChanges)
  }

  @Test("short transfers move at least one byte and less than asked")
  func short() throws {
    for drawn in [0, 8] as [UInt64] {
      let (world, file) = try start()
      world.gate.script = [drawn, drawn]
      world.gate.armed = [.shortWrite]
      #expect(try file.writeOnce(bytes(2, 10), at: 0) == Int(drawn) + 1)
      world.gate.armed = [.shortRead]
      var target = bytes(9, 10)
      var span = target.mutableSpan
      var raw = unsafe span.mutableBytes
      let done = try file.read(into: &raw, at: 0)
      #expect(done == Int(drawn) + 1)
      #expect(world.gate.draws.map(\.bound) == [9, 9])
    }
    let (world, file) = try start()
    world.gate.armed = [.shortWrite, .shortRead]
    // One byte cannot be short: the fault waits for a call that it can strike.
    #expect(try file.writeOnce([2], at: 0) == 1)
    #expect(world.gate.count(of: .shortWrite) == 0)
    // Whole transfers are continued.
    try file.writeFully(bytes(3, 10), at: 0)
    #expect(try file.readFully(at: 0, count: 10) == bytes(3, 10))
    #expect(world.gate.count(of: .shortWrite) == 1)
    #expect(world.gate.count(of: .shortRead) == 1)
  }

  @Test("after a failed sync the cache shows what no later sync makes durable")
  func syncFailure() throws {
    let (world, file) = try start(1536)
    try file.writeFully(bytes(2, 1024), at: 0)
    world.gate.armed = [.syncFailure]
    #expect(code { try file.syncData() } == .inputOutput)
    #expect(try file.readFully(at: 0, count: 1024) == bytes(2, 1024))
    try file.syncData()
    try file.syncAll()
    #expect(world.disk.pendingSectors == 2)
    // The second sector is written again, and so it is an ordinary one.
    try file.writeFully(bytes(3, 10), at: 512)
    try file.syncData()
    #expect(world.disk.pendingSectors == 1)
    let second = bytes(3, 10) + bytes(2, 502) + bytes(1, 512)
    var found: Set<[UInt8]> = []
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(choosing, allowing: [.droppedWrite, .reorderedWrite])
      found.insert(try #require(try after.files.contents("/a")))
    }
    #expect(found == [bytes(1, 512) + second, bytes(2, 512) + second])
  }

  @Test("a length survives the sync after the failed one, its data need not")
  func syncFailureAndLength() throws {
    let (world, file) = try start(512)
    try file.writeFully(bytes(2, 512), at: 512)
    world.gate.armed = [.syncFailure]
    #expect(code { try file.syncData() } == .inputOutput)
    try file.syncData()
    var found: Set<[UInt8]> = []
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(
        choosing, allowing: [.droppedWrite, .reorderedWrite, .lostLength])
      found.insert(try #require(try after.files.contents("/a")))
    }
    #expect(found == [bytes(1, 512) + bytes(0, 512), bytes(1, 512) + bytes(2, 512)])
  }

  @Test("a truncation before a write whose sync failed saves its length, not the write")
  func syncFailureAfterTruncation() throws {
    let (world, file) = try start(512)
    try file.truncate(to: 0)
    try file.writeFully(bytes(2, 512), at: 0)
    world.gate.armed = [.syncFailure]
    #expect(code { try file.syncData() } == .inputOutput)
    try file.syncData()
    var found: Set<[UInt8]> = []
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(choosing, allowing: [.droppedWrite, .reorderedWrite])
      found.insert(try #require(try after.files.contents("/a")))
    }
    #expect(found == [bytes(0, 512), bytes(2, 512)])
    // A truncation alone is metadata, and the next sync saves it.
    let (other, cut) = try start(512)
    try cut.truncate(to: 0)
    try cut.truncate(to: 512)
    other.gate.armed = [.syncFailure]
    #expect(code { try cut.syncData() } == .inputOutput)
    try cut.syncData()
    #expect(!other.disk.hasPendingChanges)
  }

  @Test("a lying sync does nothing, and only where there was something to do")
  func lyingSync() throws {
    let (world, file) = try start()
    world.gate.armed = [.lyingSync]
    try file.syncData()
    #expect(world.gate.count(of: .lyingSync) == 0)
    try file.writeFully(bytes(2, 10), at: 0)
    try file.syncData()
    #expect(world.gate.count(of: .lyingSync) == 1)
    #expect(world.disk.pendingSectors == 1)
    world.gate.armed = [.syncFailure]
    #expect(code { try file.syncData() } == .inputOutput)
    world.gate.armed = [.lyingSync]
    try file.syncData()
    #expect(world.gate.count(of: .lyingSync) == 1, "what a failed sync gave up is nothing to do")
    _ = try world.files.open("/b", .createNew)
    try world.files.syncDirectory("/")
    #expect(world.gate.count(of: .lyingSync) == 2)
    #expect(world.disk.hasPendingChanges)
  }

  @Test("latency waits; what happens meanwhile is seen")
  func latency() throws {
    let (world, file) = try start()
    world.gate.armed = [.latency]
    world.gate.script = [2]
    world.gate.duringDelay = { _ = try? file.truncate(to: 5) }
    var target = bytes(0, 100)
    let done = try file.readAvailable(at: 0, into: &target)
    #expect(done == 5)
    #expect(world.gate.delays == [10_000_000])
    world.gate.armed = [.latency]
    world.gate.duringDelay = { file.close() }
    #expect(code { try file.writeFully([2], at: 0) } == .invalidArgument)
    let second = try world.files.open("/a", .readWrite)
    world.gate.armed = [.latency]
    world.gate.duringDelay = { world.disk.processKill() }
    #expect(code { try second.writeFully([2], at: 0) } == .killed)
    let next = world.disk.mount(ScriptedGate())
    #expect(try next.contents("/a") == bytes(1, 5))
  }

  @Test("rot counts when a read meets it, once, and ends with a write")
  func bitRot() throws {
    let (world, file) = try start()
    // Block 0, byte 600, bit 3.
    #expect(world.disk.rot(choosing: ScriptedGate([0, 0, 600 * 8 + 3])))
    #expect(try file.readFully(at: 0, count: 512) == bytes(1, 512))
    #expect(world.gate.count(of: .bitRot) == 0)
    for _ in 0..<2 {
      #expect(try file.readFully(at: 590, count: 20) == bytes(1, 10) + [9] + bytes(1, 9))
      #expect(world.gate.count(of: .bitRot) == 1)
    }
    let after = world.afterPowerLoss(ScriptedGate())
    #expect(try after.files.contents("/a")?[600] == 9, "a restart does not mend it")
    try file.writeFully(bytes(1, 512), at: 512)
    #expect(try file.readFully(at: 0, count: 1024) == bytes(1, 1024))
  }

  @Test("rot falls on bytes that are on the medium only")
  func bitRotAndPending() throws {
    let (world, file) = try start(512)
    try file.writeFully(bytes(2, 10), at: 0)
    #expect(!world.disk.rot(choosing: ScriptedGate(seed: 1)))
    world.gate.armed = [.bitRot]
    #expect(try file.readFully(at: 0, count: 10) == bytes(2, 10))
    #expect(world.gate.count(of: .bitRot) == 0)
    try file.syncData()
    #expect(try file.readFully(at: 0, count: 10) != bytes(2, 10))
    #expect(world.gate.count(of: .bitRot) == 1)
    #expect(!SimulatedDisk().rot(choosing: ScriptedGate(seed: 1)), "nothing to rot")
  }

  @Test("every class has one description")
  func catalogue() {
    #expect(FaultCatalogue.all.map(\.fault) == FaultClass.allCases)
    for description in FaultCatalogue.all {
      #expect(!description.summary.isEmpty && !description.countedWhen.isEmpty)
      #expect(!description.seenIn.isEmpty)
      let isOutcome = !DiskFaults(description.fault).isEmpty
      #expect(isOutcome == (description.origin == .powerLoss))
    }
  }
}
