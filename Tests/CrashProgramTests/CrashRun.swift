import Foundation
import Testing

/// One run of a built crash program, in a folder of its own that is removed afterwards.
struct CrashRun {
  var code: Int32
  var output: String
  var error: String
  /// What it left in its folder.
  var left: [String]

  /// The programs are built beside the test bundle, because the test target depends on them.
  static func program(_ name: String) -> URL {
    for start in [
      Bundle.main.bundleURL, URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(),
    ] {
      var folder = start
      while folder.path != "/" {
        let program = folder.appending(path: name)
        if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        folder.deleteLastPathComponent()
      }
    }
    return URL(filePath: "/\(name)-was-not-built")
  }

  init(_ name: String, _ arguments: String..., isCrashProgram: Bool = true) throws {
    try self.init(name, arguments: arguments, isCrashProgram: isCrashProgram)
  }

  /// With `--directory` set to the folder, or, for programs that have no such option, in it.
  init(_ name: String, arguments: [String], isCrashProgram: Bool = true) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "crash-run-\(UUID().uuidString)")
    let home = folder.appending(path: "home")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["output", "error"].map { folder.appending(path: $0) }
    for file in files { try Data().write(to: file) }
    let process = Process()
    process.executableURL = Self.program(name)
    process.arguments = arguments + (isCrashProgram ? ["--directory", home.path] : [])
    process.currentDirectoryURL = home
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    // A signal must never look like one of the documented codes.
    code = process.terminationReason == .exit ? process.terminationStatus : -1
    output = try String(contentsOf: files[0], encoding: .utf8)
    error = try String(contentsOf: files[1], encoding: .utf8)
    left = try FileManager.default.contentsOfDirectory(atPath: home.path)
  }

  /// Of a result as JSON: the value of a number at the top level.
  func number(_ field: String) -> Int? {
    for line in output.split(separator: "\n") {
      let parts = line.split(separator: " ")
      if parts.count == 3, parts[0] == "\"\(field)\"" {
        return Int(parts[2].filter { $0 != "," })
      }
    }
    return nil
  }
}
