import Foundation
import Testing

/// One run of the built `lugectl`.
struct LugectlRun {
  var code: Int32
  var output: String
  var error: String

  /// The tool is built beside the test bundle, because the test target depends on it.
  static let tool: URL = {
    var folder = Bundle.main.bundleURL
    for candidate in [folder, URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()] {
      folder = candidate
      while folder.path != "/" {
        let tool = folder.appending(path: "lugectl")
        if FileManager.default.isExecutableFile(atPath: tool.path) { return tool }
        folder.deleteLastPathComponent()
      }
    }
    return URL(filePath: "/lugectl-was-not-built")
  }()

  init(_ arguments: String...) throws { try self.init(Self.tool, arguments) }

  /// Runs it as somebody who is not root, where this process is root.
  static func unprivileged(_ arguments: String...) throws -> LugectlRun {
    if getuid() != 0 { return try LugectlRun(tool, arguments) }
    return try LugectlRun(
      URL(filePath: "/usr/bin/setpriv"),
      ["--reuid=65534", "--regid=65534", "--clear-groups", tool.path] + arguments)
  }

  private init(_ executable: URL, _ arguments: [String]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "lugectl-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["output", "error"].map { folder.appending(path: $0) }
    for file in files { try Data().write(to: file) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    // Nobody may write a profile of coverage where we do, and would say so among the tool's errors.
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no", "LLVM_PROFILE_FILE": "/dev/null"]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    // A signal must never look like one of the documented codes.
    code = process.terminationReason == .exit ? process.terminationStatus : -1
    output = try String(contentsOf: files[0], encoding: .utf8)
    error = try String(contentsOf: files[1], encoding: .utf8)
  }

  /// One line on standard error, nothing on standard output, code 2.
  func expectRefused(
    _ phrase: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(code == 2, "\(error)", sourceLocation: sourceLocation)
    #expect(output == "", sourceLocation: sourceLocation)
    #expect(error.hasPrefix("lugectl: "), "\(error)", sourceLocation: sourceLocation)
    #expect(error.contains(phrase), "\(error)", sourceLocation: sourceLocation)
    let lines = error.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 2 && lines.last == "", "\(error)", sourceLocation: sourceLocation)
  }
}

/// A new, empty directory for the time of `body`.
func withFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "lugectl-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}

/// Names and bytes of all files of a directory.
func contents(of folder: URL) throws -> [String: Data] {
  var contents: [String: Data] = [:]
  for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
    contents[name] = try Data(contentsOf: folder.appending(path: name))
  }
  return contents
}
