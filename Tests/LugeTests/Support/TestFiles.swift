import Platform

/// Whole files, for tests that damage them.
enum TestFiles {
  static func read(_ files: any FileSystem, _ path: String) throws -> [UInt8] {
    let file = try files.open(path, .read)
    defer { file.close() }
    return try file.readFully(at: 0, count: Int(try file.size()))
  }

  static func write(_ files: any FileSystem, _ path: String, _ bytes: [UInt8]) throws {
    let file = try files.open(path, .readWriteOrCreate)
    defer { file.close() }
    try file.truncate(to: 0)
    try file.writeFully(bytes, at: 0)
  }

  /// A world of its own whose directory `/db` holds these files.
  static func world(_ contents: [(name: String, bytes: [UInt8])]) throws -> PlatformServices {
    let platform = PlatformServices.inMemory()
    try platform.files.createDirectory("/db")
    for (name, bytes) in contents { try write(platform.files, "/db/\(name)", bytes) }
    return platform
  }

  /// The files of `/db`.
  static func contents(_ files: any FileSystem) throws -> [(name: String, bytes: [UInt8])] {
    try files.list("/db").map { ($0, try read(files, "/db/\($0)")) }
  }
}

extension Array where Element == UInt8 {
  /// Calls `body` with the array's memory.
  @unsafe func raw<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    // The pointer is used during the call only.
    unsafe try withUnsafeBytes { try unsafe body($0) }
  }
}
