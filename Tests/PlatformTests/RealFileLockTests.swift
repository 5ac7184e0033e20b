import Platform
import Testing

#if canImport(Glibc)
  import Glibc

  @Suite struct RealFileLockTests {
    /// A copy of the descriptor of an open file, as a forked process has it; nil when it is not open.
    private func copy(of path: String) -> Int32? {
      for number in 0..<1024 as Range<Int32> {
        // The buffer outlives the call.
        let isFound = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) {
          let count = unsafe readlink("/proc/self/fd/\(number)", $0.baseAddress!, 4095)
          if count <= 0 { return false }
          unsafe $0[count] = 0
          return unsafe String(cString: $0.baseAddress!) == path
        }
        if isFound { return dup(number) }
      }
      return nil
    }

    /// Between `fork` and `exec` a child of another thread's holds whatever is open.
    @Test func aLockIsGivenBackThoughAnotherProcessHasTheDescriptor() throws {
      try withTemporaryDirectory { directory in
        let files = RealFileSystem()
        let path = "\(directory)/LOCK"
        let lock = try files.lock(path)
        #expect(throws: PlatformError.self) { try files.lock(path) }
        let other = try #require(copy(of: path))
        defer { close(other) }
        lock.release()
        let again = try files.lock(path)
        // A second release is no one's but its own.
        lock.release()
        #expect(throws: PlatformError.self) { try files.lock(path) }
        again.release()
      }
    }
  }
#endif
