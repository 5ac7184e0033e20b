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

  /// Whatever is asked for of whatever files, in whatever blocks it lies, up to the end of the file.
  @Test(arguments: [1, 5, 20]) func readsPastTheCacheAreReads(_ requests: Int) throws {
    try withTemporaryDirectory { root in
      let files = RealFileSystem()
      var generator = TestGenerator(seed: UInt64(requests))
      var contents: [[UInt8]] = []
      var open: [any File] = []
      for number in 0..<3 {
        let size = 60_000 + number * 777
        contents.append((0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) })
        open.append(try files.open("\(root)/\(number)", .createNew))
        try open[number].writeFully(contents[number], at: 0)
      }
      var first = FileRead(open[0], at: 511, length: 2, isDirect: true)
      #expect(try files.read([first]) == [Array(contents[0][511..<513])])
      for _ in 0..<50 {
        var round: [FileRead] = []
        var expected: [[UInt8]] = []
        for _ in 0..<requests {
          let number = Int.random(in: 0..<3, using: &generator)
          let size = contents[number].count
          let offset = Int.random(in: 0..<size, using: &generator)
          // Beyond the end now and then.
          let length = Int.random(in: 0..<20_000, using: &generator)
          round.append(FileRead(open[number], at: Int64(offset), length: length, isDirect: true))
          expected.append(Array(contents[number][offset..<min(size, offset + length)]))
        }
        #expect(try files.read(round) == expected)
        // What was written just now is read, wherever it is.
        let number = Int.random(in: 0..<3, using: &generator)
        let place = Int.random(in: 0..<50_000, using: &generator)
        contents[number].replaceSubrange(place..<place + 3, with: [7, 8, 9])
        try open[number].writeFully([7, 8, 9], at: Int64(place))
      }
      // A name that stands for another file by now is not taken for this one.
      try files.remove("\(root)/2")
      try files.open("\(root)/2", .createNew).writeFully([1, 2, 3], at: 0)
      first = FileRead(open[2], at: 100, length: 5000, isDirect: true)
      #expect(try files.read([first]) == [Array(contents[2][100..<5100])])
      for file in open { file.close() }
      #expect(throws: PlatformError.self) { try files.read([first]) }
    }
  }

  /// A name that is taken by another file before the first such read.
  @Test func aFileIsNotTakenForAnotherOfItsName() throws {
    try withTemporaryDirectory { root in
      let files = RealFileSystem()
      let file = try files.open("\(root)/a", .createNew)
      try file.writeFully([UInt8](repeating: 1, count: 4096), at: 0)
      try files.remove("\(root)/a")
      let other = try files.open("\(root)/a", .createNew)
      try other.writeFully([UInt8](repeating: 2, count: 4096), at: 0)
      let read = FileRead(file, at: 10, length: 20, isDirect: true)
      #expect(try files.read([read]) == [[UInt8](repeating: 1, count: 20)])
      #expect(files.cacheBytes > 1 << 20)
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
