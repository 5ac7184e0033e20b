import Foundation
import Luge
import Testing

/// Bad input: one clear line, the right code, no trap, nothing overwritten.
@Suite struct BadInputTests {
  private static let reading = [["get", "k"], ["scan"], ["stats"], ["verify"], ["remove", "k"]]

  /// A database with one flushed and checkpointed entry, closed again.
  private func makeDatabase(_ folder: URL) throws -> URL {
    let directory = folder.appending(path: "db")
    #expect(try LugectlRun("put", directory.path, "k", "v").code == 0)
    return directory
  }

  private func run(_ verb: [String], _ directory: URL) throws -> LugectlRun {
    verb.count > 1
      ? try LugectlRun(verb[0], directory.path, verb[1]) : try LugectlRun(verb[0], directory.path)
  }

  @Test(arguments: [
    [], ["frobnicate"], ["get"], ["get", "/tmp"], ["put", "/tmp", "k"],
    ["scan", "/tmp", "--limit", "x"],
    ["scan", "/tmp", "--limit=-1"], ["scan", "/tmp", "--format", "xml"],
    ["get", "/tmp", "k", "--frob"],
    ["get", "/tmp", "k", "--raw", "--hex"],
  ])
  func wrongUsage(arguments: [String]) throws {
    let run: LugectlRun
    switch arguments.count {
    case 0: run = try LugectlRun()
    case 1: run = try LugectlRun(arguments[0])
    case 2: run = try LugectlRun(arguments[0], arguments[1])
    case 3: run = try LugectlRun(arguments[0], arguments[1], arguments[2])
    case 4: run = try LugectlRun(arguments[0], arguments[1], arguments[2], arguments[3])
    default:
      run = try LugectlRun(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4])
    }
    if arguments.isEmpty {
      #expect(run.code == 0 && run.output.contains("USAGE"))  // help was not asked for, but is due
    } else {
      #expect(run.code == 2 && run.output == "" && run.error.contains("Error: "))
    }
  }

  @Test func badHexadecimalDigits() throws {
    try withFolder { (folder) throws in
      let database = try makeDatabase(folder)
      let before = try contents(of: database)
      try LugectlRun("get", database.path, "0g", "--hex").expectRefused("not made of hexadecimal")
      try LugectlRun("put", database.path, "00", "123", "--hex").expectRefused("odd number")
      #expect(try contents(of: database) == before)
    }
  }

  @Test(arguments: reading)
  func aMissingDirectoryIsNotCreated(verb: [String]) throws {
    try withFolder { (folder) throws in
      let directory = folder.appending(path: "missing")
      try run(verb, directory).expectRefused("not found")
      #expect(!FileManager.default.fileExists(atPath: directory.path))
    }
  }

  @Test(arguments: reading)
  func anEmptyDirectoryStaysEmpty(verb: [String]) throws {
    try withFolder { (folder) throws in
      try run(verb, folder).expectRefused("not found")
      #expect(try contents(of: folder).isEmpty)
    }
  }

  @Test(arguments: reading + [["put"]])
  func aLockedDirectoryIsRefused(verb: [String]) throws {
    try withFolder { (folder) throws in
      let directory = try makeDatabase(folder)
      let database = try Database.open(at: directory.path)
      let run =
        verb == ["put"]
        ? try LugectlRun("put", directory.path, "k", "w") : try run(verb, directory)
      run.expectRefused("locked")
      #expect(try database.defaultTree.value(forKey: Array("k".utf8)) == Array("v".utf8))
      try database.close()
      #expect(try LugectlRun("get", directory.path, "k").output == "v\n")
    }
  }

  @Test func aFileIsNoDirectory() throws {
    try withFolder { (folder) throws in
      let file = folder.appending(path: "file")
      try Data("mine".utf8).write(to: file)
      for verb in Self.reading { #expect(try run(verb, file).code == 2) }
      #expect(try LugectlRun("put", file.path, "k", "v").code == 2)
      #expect(try Data(contentsOf: file) == Data("mine".utf8))
    }
  }

  @Test func aForeignFileIsNotOverwritten() throws {
    try withFolder { (folder) throws in
      let file = folder.appending(path: "SUPERBLOCK")
      try Data("somebody else's file, longer than it looks".utf8).write(to: file)
      for verb in Self.reading { #expect(try run(verb, folder).code >= 1) }
      try LugectlRun("put", folder.path, "k", "v").expectRefused("not a database")
      #expect(try contents(of: folder)["SUPERBLOCK"] == Data(contentsOf: file))
      #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("somebody"))
    }
  }

  /// Where the tests run as root, the tool runs as nobody, who must be able to reach it.
  @Test(.enabled(if: (try? LugectlRun.unprivileged("--help").code) == 0))
  func anUnwritableDirectoryIsRefused() throws {
    try withFolder { (folder) throws in
      let database = try makeDatabase(folder)
      let manager = FileManager.default
      try manager.setAttributes([.posixPermissions: 0o555], ofItemAtPath: database.path)
      for name in try manager.contentsOfDirectory(atPath: database.path) {
        try manager.setAttributes(
          [.posixPermissions: 0o444], ofItemAtPath: database.appending(path: name).path)
      }
      try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
      let before = try contents(of: database)
      try LugectlRun.unprivileged("put", database.path, "k", "w").expectRefused("permission denied")
      try LugectlRun.unprivileged("put", folder.path + "/new", "k", "w")
        .expectRefused("permission denied")
      #expect(try contents(of: database) == before)
      try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: database.path)
    }
  }

  /// Each file, cut to nothing, to half, and by one byte: an answer or a clear error, and never a
  /// trap; where the tool refuses, the damaged file stays as it was.
  @Test func truncatedFiles() throws {
    try withFolder { (folder) throws in
      let database = try makeDatabase(folder)
      let whole = try contents(of: database)
      for (name, data) in whole.sorted(by: { $0.key < $1.key }) where !data.isEmpty {
        for length in [0, data.count / 2, data.count - 1] {
          for (other, bytes) in whole { try bytes.write(to: database.appending(path: other)) }
          let file = database.appending(path: name)
          try data.prefix(length).write(to: file)
          let run = try LugectlRun("verify", database.path)
          #expect([0, 1, 2].contains(run.code), "\(name) cut to \(length): \(run)")
          if run.code == 0 {
            // What was flushed must still be there.
            #expect(try LugectlRun("get", database.path, "k").output == "v\n", "\(name) \(length)")
          } else {
            #expect(try Data(contentsOf: file) == data.prefix(length), "\(name) \(length)")
            #expect(run.code == 1 || run.error.hasPrefix("lugectl: "), "\(name) \(length): \(run)")
            let lines = (run.output + run.error).split(separator: "\n")
            #expect(lines.count == 1, "\(name) cut to \(length): \(run)")
          }
        }
      }
    }
  }

  /// A bit of each copy of the superblock and of each file's first block: found or without effect.
  @Test func damagedFiles() throws {
    try withFolder { (folder) throws in
      let database = try makeDatabase(folder)
      let whole = try contents(of: database)
      for (name, data) in whole.sorted(by: { $0.key < $1.key }) where data.count >= 4096 {
        for offset in [0, 17, 600, 2048, 4095] {
          for (other, bytes) in whole { try bytes.write(to: database.appending(path: other)) }
          var damaged = data
          damaged[offset] ^= 0x10
          try damaged.write(to: database.appending(path: name))
          let run = try LugectlRun("get", database.path, "k")
          #expect(
            (run.code == 0 && run.output == "v\n") || (run.code == 2 && run.output == ""),
            "\(name) at \(offset): \(run)")
        }
      }
    }
  }
}
