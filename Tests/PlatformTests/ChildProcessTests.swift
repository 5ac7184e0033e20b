import Platform
import Testing

/// Programs started beside this one, and what they report.
@Suite struct ChildProcessTests {
  private func start(_ script: String, _ directory: String) throws -> ChildProcess {
    try ChildProcess("/bin/sh", ["-c", script], log: directory + "/log")
  }

  private func all(_ child: ChildProcess) throws -> String {
    var bytes: [UInt8] = []
    let deadline = RealClock().now().advanced(byNanoseconds: 60_000_000_000)
    while try child.read(into: &bytes, until: deadline) == true {}
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func reportsAndCodesArrive() throws {
    try withTemporaryDirectory { directory in
      let child = try start("echo one >&3; echo two; echo three >&3; exit 7", directory)
      #expect(try all(child) == "one\nthree\n")
      #expect(try child.wait() == .exit(7))
      #expect(try child.wait() == .exit(7))
      let log = try RealFileSystem().open(directory + "/log", .read)
      #expect(try log.readFully(at: 0, count: 4) == Array("two\n".utf8))
    }
  }

  /// What was reported before a kill is read after it.
  @Test func reportsOutliveTheKill() throws {
    try withTemporaryDirectory { directory in
      let child = try start("echo before >&3; exec sleep 1000", directory)
      var bytes: [UInt8] = []
      let deadline = RealClock().now().advanced(byNanoseconds: 60_000_000_000)
      #expect(try child.read(into: &bytes, until: deadline) == true)
      child.kill()
      #expect(try child.wait() == .signal(9))
      #expect(String(decoding: bytes, as: UTF8.self) == "before\n")
      // It is gone: there is nobody to be killed any more.
      child.kill()
    }
  }

  @Test func silenceEndsAtTheDeadline() throws {
    try withTemporaryDirectory { directory in
      let child = try start("exec sleep 1000", directory)
      var bytes: [UInt8] = []
      let deadline = RealClock().now().advanced(byNanoseconds: 1_000_000)
      #expect(try child.read(into: &bytes, until: deadline) == nil)
      child.kill()
      #expect(try child.wait() == .signal(9))
    }
  }

  @Test func aProgramThatIsNotThere() throws {
    try withTemporaryDirectory { directory in
      #expect(throws: PlatformError.self) {
        _ = try ChildProcess(directory + "/nothing", [], log: directory + "/log")
      }
    }
  }
}
