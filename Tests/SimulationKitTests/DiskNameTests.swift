import EngineKit
import Platform
import Testing

@testable import SimulationKit

@Suite("What a power loss does to names")
struct DiskNameTests {
  /// Every listing that the root can have after a power loss, each name with its file's first byte.
  private func outcomes(
    _ world: DiskWorld, allowing: DiskFaults = .lostDirectoryEntry
  ) throws -> Set<[String]> {
    var found: Set<[String]> = []
    try everyOutcome { choosing in
      let files = world.afterPowerLoss(choosing, allowing: allowing).files
      found.insert(try listing(files, "/"))
    }
    return found
  }

  private func listing(_ files: SimulatedFileSystem, _ directory: String) throws -> [String] {
    var lines: [String] = []
    for name in try files.list(directory) {
      let path = directory + name
      if try files.status(path)?.isDirectory == true {
        lines.append(path + "/")
        lines += try listing(files, path + "/")
      } else {
        let first = try files.contents(path)?.first
        lines.append(first.map { "\(path)=\($0)" } ?? path)
      }
    }
    return lines
  }

  private func make(_ world: DiskWorld, _ path: String, _ value: UInt8) throws {
    let file = try world.files.open(path, .readWriteOrCreate)
    try file.writeFully([value], at: 0)
    try file.syncData()
    file.close()
  }

  @Test("a synced file without a synced name can vanish; with it, it cannot")
  func creation() throws {
    let world = DiskWorld()
    try make(world, "/a", 1)
    #expect(try outcomes(world) == [[], ["/a=1"]])
    #expect(try outcomes(world, allowing: [.droppedWrite, .lostLength]) == [["/a=1"]])
    try world.files.syncDirectory("/")
    #expect(try outcomes(world) == [["/a=1"]])
  }

  @Test("creations of different names are independent")
  func independent() throws {
    let world = DiskWorld()
    try make(world, "/a", 1)
    try make(world, "/b", 2)
    #expect(try outcomes(world) == [[], ["/a=1"], ["/b=2"], ["/a=1", "/b=2"]])
  }

  @Test("a rename is whole or not at all, and the replaced file is one or the other")
  func rename() throws {
    let world = DiskWorld()
    try make(world, "/a", 1)
    try make(world, "/b", 2)
    try world.files.syncDirectory("/")
    try world.files.rename("/a", to: "/b")
    #expect(try outcomes(world) == [["/a=1", "/b=2"], ["/b=1"]])
  }

  @Test("changes of one name keep their order: no file is lost between two renames")
  func chained() throws {
    let world = DiskWorld()
    try make(world, "/a", 1)
    try world.files.syncDirectory("/")
    try world.files.rename("/a", to: "/old")
    try make(world, "/a", 2)
    #expect(try outcomes(world) == [["/a=1"], ["/old=1"], ["/a=2", "/old=1"]])
  }

  @Test("a removal that was not synced may be undone; space and contents come back")
  func removal() throws {
    let world = DiskWorld()
    try make(world, "/a", 1)
    try world.files.syncDirectory("/")
    try world.files.remove("/a")
    #expect(world.disk.allocatedBytes == 0)
    #expect(try outcomes(world) == [["/a=1"], []])
    try everyOutcome { choosing in
      let after = world.afterPowerLoss(choosing)
      let isThere = try after.files.status("/a") != nil
      #expect(after.files.disk.allocatedBytes == (isThere ? 4096 : 0))
      #expect(choosing.count(of: .lostDirectoryEntry) == (isThere ? 1 : 0))
    }
    try world.files.syncDirectory("/")
    #expect(try outcomes(world) == [[]])
  }

  @Test("with a directory's name goes everything in it")
  func directories() throws {
    let world = DiskWorld()
    try world.files.createDirectory("/d")
    try make(world, "/d/a", 1)
    try world.files.syncDirectory("/d")
    #expect(try outcomes(world) == [[], ["/d/", "/d/a=1"]])
    try world.files.syncDirectory("/")
    try make(world, "/d/b", 2)
    #expect(try outcomes(world) == [["/d/", "/d/a=1"], ["/d/", "/d/a=1", "/d/b=2"]])
  }

  @Test("a rename between directories is one change; syncing either side makes it durable")
  func betweenDirectories() throws {
    for synced in ["/d", "/e"] {
      let world = DiskWorld()
      try world.files.createDirectory("/d")
      try world.files.createDirectory("/e")
      try world.files.syncDirectory("/")
      try make(world, "/d/a", 1)
      try world.files.rename("/d/a", to: "/e/a")
      #expect(
        try outcomes(world) == [
          ["/d/", "/e/"], ["/d/", "/d/a=1", "/e/"], ["/d/", "/e/", "/e/a=1"],
        ])
      try world.files.syncDirectory(synced)
      #expect(try outcomes(world) == [["/d/", "/e/", "/e/a=1"]])
    }
  }

  @Test("syncing a directory leaves other directories' changes pending")
  func otherDirectory() throws {
    let world = DiskWorld()
    try world.files.createDirectory("/d")
    try world.files.syncDirectory("/")
    try make(world, "/a", 1)
    try make(world, "/d/b", 2)
    try world.files.syncDirectory("/d")
    #expect(try outcomes(world) == [["/d/", "/d/b=2"], ["/a=1", "/d/", "/d/b=2"]])
  }

  @Test("a directory that was made, filled and removed leaves nothing behind")
  func removedDirectory() throws {
    let world = DiskWorld()
    try world.files.createDirectory("/d")
    try make(world, "/d/a", 1)
    try world.files.syncDirectory("/d")
    try make(world, "/d/b", 1)
    try world.files.remove("/d/a")
    try world.files.remove("/d/b")
    try world.files.removeDirectory("/d")
    try world.files.syncDirectory("/")
    #expect(try outcomes(world) == [[]])
    #expect(world.disk.inodes.compactMap { $0 }.count == 1)
    #expect(world.disk.nameChanges.isEmpty)
  }

  @Test("a name that comes back without its data is an empty file or zeros, never other bytes")
  func nameWithoutData() throws {
    let world = DiskWorld()
    let file = try world.files.open("/a", .createNew)
    try file.writeFully([9], at: 0)
    #expect(try outcomes(world, allowing: .all) == [[], ["/a"], ["/a=0"], ["/a=9"]])
  }
}
