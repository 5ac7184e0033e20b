import Platform
import PlatformTestSupport
import Testing

@Suite struct FileSystemContractTests {
  @Test(arguments: fileSystemChecks) func real(_ check: FileSystemCheck) throws {
    try withTemporaryDirectory { try check.run(RealFileSystem(), root: $0) }
  }

  @Test(arguments: fileSystemChecks) func inMemory(_ check: FileSystemCheck) throws {
    try check.run(InMemoryFileSystem(), root: "")
  }

  /// The check itself must be able to fail: a file system that forgets a rule is convicted.
  @Test func aBrokenOneIsConvicted() throws {
    #expect(throws: ContractViolation.self) {
      try checkFileSystemContract(UnlockedFileSystem(inner: InMemoryFileSystem()), root: "")
    }
  }

  /// Two random programs of calls, one on each: the files end up byte for byte the same.
  @Test(arguments: 0..<8) func realAndInMemoryAgree(_ seed: Int) throws {
    try withTemporaryDirectory { root in
      let real = try RealFileSystem().open("\(root)/file", .createNew)
      let memory = try InMemoryFileSystem().open("file", .createNew)
      var generator = TestGenerator(seed: UInt64(seed))
      for _ in 0..<400 {
        let offset = Int64.random(in: 0..<120_000, using: &generator)
        let count = Int.random(in: 0..<40_000, using: &generator)
        let byte = UInt8.random(in: 1...255, using: &generator)
        let bytes = [UInt8](repeating: byte, count: count)
        let choice = Int.random(in: 0..<10, using: &generator)
        for file in [real, memory] {
          switch choice {
          case 0..<5: try file.writeFully(bytes, at: offset)
          case 5..<7: try file.punchHole(offset: offset, length: Int64(count))
          case 7: try file.truncate(to: offset)
          default: try file.allocate(offset: offset, length: Int64(count))
          }
        }
        let size = try real.size()
        #expect(try memory.size() == size)
        let same =
          try real.readFully(at: 0, count: Int(size))
          == memory.readFully(at: 0, count: Int(size))
        #expect(same)
        if !same { return }
      }
    }
  }
}

/// Hands the same lock out twice.
private struct UnlockedFileSystem: FileSystem {
  var inner: InMemoryFileSystem

  func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    try inner.open(path, mode)
  }
  func createDirectory(_ path: String) throws(PlatformError) { try inner.createDirectory(path) }
  func status(_ path: String) throws(PlatformError) -> FileStatus? { try inner.status(path) }
  func list(_ directory: String) throws(PlatformError) -> [String] { try inner.list(directory) }
  func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try inner.rename(path, to: newPath)
  }
  func remove(_ path: String) throws(PlatformError) { try inner.remove(path) }
  func removeDirectory(_ path: String) throws(PlatformError) { try inner.removeDirectory(path) }
  func syncDirectory(_ path: String) throws(PlatformError) { try inner.syncDirectory(path) }
  func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let lock = try inner.lock(path)
    lock.release()
    return lock
  }
}
