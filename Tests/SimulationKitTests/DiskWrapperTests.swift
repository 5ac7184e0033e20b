import EngineKit
import Platform
import Testing

@testable import SimulationKit

@Suite("File systems around a file system")
struct DiskWrapperTests {
  @Test("swallowed syncs report success and do nothing; others pass")
  func swallowing() throws {
    let kinds: [SwallowingFileSystem.Calls] = [
      .dataSyncs, .fullSyncs, .directorySyncs, .fileSyncs, [],
    ]
    for swallowed in kinds {
      let world = DiskWorld()
      let counting = CountingFileSystem(world.files)
      let files = SwallowingFileSystem(counting, swallowing: swallowed)
      let file = try files.open("/a", .createNew)
      try file.writeFully(bytes(1, 10), at: 0)
      try file.syncData()
      try file.syncAll()
      try files.syncDirectory("/")
      let counts = counting.counts
      #expect(counts[.syncData] == (swallowed.contains(.dataSyncs) ? 0 : 1))
      #expect(counts[.syncAll] == (swallowed.contains(.fullSyncs) ? 0 : 1))
      #expect(counts[.syncDirectory] == (swallowed.contains(.directorySyncs) ? 0 : 1))
      #expect(try files.contents("/a") == bytes(1, 10))
    }
  }

  @Test("a suffix confines the swallowing")
  func suffix() throws {
    let world = DiskWorld()
    let files = SwallowingFileSystem(
      world.files, swallowing: .dataSyncs, onPathsWith: ".log")
    for (path, pending) in [("/a.log", 1), ("/a.page", 1)] {
      let file = try files.open(path, .createNew)
      try file.writeFully(bytes(1, 10), at: 0)
      try file.syncData()
      #expect(world.disk.pendingSectors == pending)
    }
  }

  @Test("calls and bytes are counted by kind")
  func counting() throws {
    let world = DiskWorld()
    let files = CountingFileSystem(world.files)
    let start = files.counts
    let file = try files.open("/a", .createNew)
    try file.writeFully(bytes(1, 100), at: 0)
    #expect(throws: PlatformError.self) { _ = try file.readFully(at: 50, count: 100) }
    _ = try file.readParallel([ReadRequest(offset: 0, length: 7)])
    try file.truncate(to: 5)
    try files.rename("/a", to: "/b")
    let counts = files.counts.since(start)
    #expect(counts[.open] == 1 && counts[.write] == 1 && counts[.truncate] == 1)
    #expect(counts[.read] == 2, "the second finds the end")
    #expect(counts.bytesWritten == 100 && counts.bytesRead == 57)
    #expect(counts[.rename] == 1 && counts.syncs == 0)
  }
}
