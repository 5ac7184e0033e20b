import EngineKit
import Platform
import Testing

@testable import SimulationKit

@Suite("The simulated disk while the power is on")
struct DiskFileTests {
  @Test("what is written is read, holes are zeros, the file ends where it was written last")
  func readsWhatIsWritten() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(7, 100), at: 100_000)
    #expect(try file.size() == 100_100)
    #expect(try file.readFully(at: 99_950, count: 100) == bytes(0, 50) + bytes(7, 50))
    var rest = bytes(9, 10)
    #expect(try file.readAvailable(at: 100_095, into: &rest) == 5)
    #expect(rest == bytes(7, 5) + bytes(9, 5))
    #expect(try world.files.status("/a")?.allocatedSize == 4096)
  }

  @Test("a cut end reads as zeros when the file grows again")
  func truncation() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(7, 10_000), at: 0)
    try file.truncate(to: 5_000)
    #expect(world.disk.allocatedBytes == 8192)
    try file.truncate(to: 10_000)
    #expect(try file.readFully(at: 4_990, count: 20) == bytes(7, 10) + bytes(0, 10))
    #expect(world.disk.allocatedBytes == 8192)
  }

  @Test("punching gives whole blocks back and clears the rest")
  func punching() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(7, 20_000), at: 0)
    #expect(world.disk.allocatedBytes == 5 * 4096)
    try file.punchHole(offset: 4_000, length: 9_000)
    #expect(world.disk.allocatedBytes == 3 * 4096)
    #expect(try file.size() == 20_000)
    #expect(try world.files.contents("/a") == bytes(7, 4_000) + bytes(0, 9_000) + bytes(7, 7_000))
  }

  @Test("space runs out in blocks; a write takes what fits; a removed file gives it back")
  func capacity() throws {
    let world = DiskWorld(capacity: 3 * 4096)
    let file = try world.files.open("/a", .createNew)
    try file.allocate(offset: 0, length: 4096)
    #expect(try file.writeOnce(bytes(1, 9_000), at: 4_000) == 3 * 4096 - 4_000)
    #expect(throws: PlatformError.self) { try file.writeOnce(bytes(1, 1), at: 50_000) }
    // Overwriting needs no space.
    #expect(try file.writeOnce(bytes(2, 9_000), at: 0) == 9_000)
    #expect(world.gate.count(of: .noSpace) == 2)
    try world.files.remove("/a")
    #expect(world.disk.allocatedBytes == 3 * 4096)
    file.close()
    #expect(world.disk.allocatedBytes == 0)
  }

  @Test("an unlinked file lives while it is open")
  func unlinkedWhileOpen() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(1, 10), at: 0)
    try world.files.remove("/a")
    #expect(try world.files.status("/a") == nil)
    #expect(try file.readFully(at: 0, count: 10) == bytes(1, 10))
    let second = try world.files.open("/a", .createNew)
    #expect(try second.size() == 0)
  }

  @Test("after a kill, everything handed over is there, and old handles are dead")
  func processKill() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    let lock = try world.files.lock("/lock")
    try file.writeFully(bytes(1, 10), at: 0)
    #expect(throws: PlatformError.self) { _ = try world.files.lock("/lock") }
    world.disk.processKill()
    #expect(throws: PlatformError(.killed, operation: "size")) { _ = try file.size() }
    #expect(world.disk.openHandles == 0)
    #expect(world.disk.pendingSectors == 1)
    let next = world.disk.mount(ScriptedGate())
    let relock = try next.lock("/lock")
    // A dead process cannot release what another one holds now.
    lock.release()
    file.close()
    #expect(throws: PlatformError.self) { _ = try next.lock("/lock") }
    #expect(world.disk.openHandles == 1)
    #expect(try next.contents("/a") == bytes(1, 10))
    relock.release()
    _ = try next.lock("/lock")
  }

  @Test("a call that finds its process killed at the gate changes nothing")
  func killedAtTheGate() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully(bytes(1, 600), at: 0)
    let before = world.disk.sequence
    world.gate.isDead = true
    #expect(throws: PlatformError.self) { try file.writeFully(bytes(2, 600), at: 0) }
    #expect(throws: PlatformError.self) { try file.truncate(to: 0) }
    #expect(throws: PlatformError.self) { try file.syncData() }
    #expect(throws: PlatformError.self) { try world.files.remove("/a") }
    #expect(throws: PlatformError.self) { _ = try world.files.open("/b", .createNew) }
    #expect(world.disk.sequence == before)
    #expect(world.disk.pendingSectors == 2)
  }

  @Test("a fork goes its own way")
  func fork() throws {
    let world = DiskWorld()
    try world.files.makeDurable("/a", in: "/", bytes(1, 40_000))
    let fork = world.disk.fork()
    let file = try world.files.open("/a", .readWrite)
    try file.writeFully(bytes(2, 40_000), at: 0)
    let forked = fork.mount(ScriptedGate())
    #expect(try forked.contents("/a") == bytes(1, 40_000))
    let other = try forked.open("/a", .readWrite)
    try other.writeFully(bytes(3, 10), at: 35_000)
    #expect(try world.files.contents("/a") == bytes(2, 40_000))
    #expect(fork.pendingSectors == 1)
    #expect(world.disk.pendingSectors == 79)
  }

  @Test("wrong calls are errors")
  func wrongCalls() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    let reader = try world.files.open("/a", .read)
    #expect(throws: PlatformError.self) { try reader.writeFully([1], at: 0) }
    #expect(throws: PlatformError.self) { _ = try file.readFully(at: -1, count: 1) }
    #expect(throws: PlatformError.self) { try file.truncate(to: -1) }
    #expect(throws: PlatformError.self) { try file.writeFully([1], at: .max) }
    #expect(throws: PlatformError.self) { try file.allocate(offset: .max, length: .max) }
    #expect(throws: PlatformError.self) { try file.punchHole(offset: 0, length: 0) }
    file.close()
    file.close()
    #expect(throws: PlatformError.self) { _ = try file.size() }
    #expect(throws: PlatformError.self) { _ = try world.files.open("/no/a", .createNew) }
    #expect(throws: PlatformError.self) { _ = try world.files.open("/a/b", .createNew) }
    #expect(throws: PlatformError.self) { try world.files.createDirectory("/a") }
    #expect(throws: PlatformError.self) { try world.files.rename("/no", to: "/b") }
    #expect(throws: PlatformError.self) { _ = try world.files.open("", .createNew) }
    try world.files.createDirectory("/d")
    try world.files.createDirectory("/d/e")
    #expect(throws: PlatformError.self) { try world.files.removeDirectory("/d") }
    #expect(throws: PlatformError.self) { try world.files.rename("/d", to: "/d/e/f") }
    #expect(throws: PlatformError.self) { try world.files.rename("/a", to: "/d") }
  }
}
