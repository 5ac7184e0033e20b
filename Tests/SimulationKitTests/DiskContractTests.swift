import Platform
import PlatformTestSupport
import Testing

@testable import SimulationKit

@Suite("The simulated disk as a file system")
struct DiskContractTests {
  @Test("keeps the contract of file systems", arguments: fileSystemChecks)
  func contract(_ check: FileSystemCheck) throws {
    let world = DiskWorld()
    try world.files.createDirectory("/root")
    try check.run(world.files, root: "/root")
  }

  @Test("so do the file systems around it", arguments: fileSystemChecks)
  func wrappers(_ check: FileSystemCheck) throws {
    let world = DiskWorld()
    let counting = CountingFileSystem(world.files)
    let files = SwallowingFileSystem(counting, swallowing: .directorySyncs)
    try files.createDirectory("/root")
    // Swallowed directory syncs cannot tell a directory from what is none.
    if check.name != "syncs" { try check.run(files, root: "/root") }
  }
}
