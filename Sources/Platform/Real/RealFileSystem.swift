#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The operating system's files. Every descriptor is closed on exec; interrupted calls are taken up
/// again; every error names the call, the path and, where there is one, the offset.
public struct RealFileSystem: FileSystem {
  public init() {}

  public var cacheBytes: Int64 { SystemMemory.limit }

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .readWrite: O_RDWR
      case .readWriteOrCreate: O_RDWR | O_CREAT
      case .createNew: O_RDWR | O_CREAT | O_EXCL
      }
    let descriptor = Descriptor(try Self.open(path, flags))
    let file = RealFile(path: path, descriptor: descriptor)
    // Reading a directory as a file is refused at the door, not at the first read.
    if try Self.status(of: descriptor, path).isDirectory {
      throw PlatformError(.isADirectory, operation: "open", path: path)
    }
    return file
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    try unsafe Self.call("mkdir", path) { unsafe mkdir($0, 0o777) }
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    var found = stat()
    do {
      try unsafe Self.call("stat", path) { unsafe stat($0, &found) }
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    return Self.status(found)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    let number = try Self.open(directory, O_RDONLY | O_DIRECTORY)
    guard let stream = unsafe fdopendir(number) else {
      let error = SystemError.make(SystemError.number, "fdopendir", directory)
      Descriptor(number).close()
      throw error
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      // The entry lives until the next call on this stream, which no other thread sees.
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 1) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    if errno != 0 { throw SystemError.make(SystemError.number, "readdir", directory) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try Self.checkPath("rename", newPath)
    try unsafe Self.call("rename", path) { old in
      #if canImport(Glibc)
        unsafe newPath.withCString { unsafe Glibc.rename(old, $0) }
      #elseif canImport(Musl)
        unsafe newPath.withCString { unsafe Musl.rename(old, $0) }
      #elseif canImport(Darwin)
        unsafe newPath.withCString { unsafe Darwin.rename(old, $0) }
      #endif
    }
  }

  public func remove(_ path: String) throws(PlatformError) {
    try unsafe Self.call("unlink", path) { unsafe unlink($0) }
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    try unsafe Self.call("rmdir", path) { unsafe rmdir($0) }
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    let descriptor = Descriptor(try Self.open(path, O_RDONLY | O_DIRECTORY))
    defer { descriptor.close() }
    try descriptor.use("fsync", path) { (number) throws(PlatformError) in
      try Self.retry("fsync", path) { fsync(number) }
    }
  }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let descriptor = Descriptor(try Self.open(path, O_RDWR | O_CREAT))
    // The lock belongs to this opening of the file, so a second one in this process is refused too.
    try descriptor.use("flock", path) { (number) throws(PlatformError) in
      try Self.retry("flock", path) { flock(number, LOCK_EX | LOCK_NB) }
    }
    return RealFileLock(descriptor)
  }

  // MARK: Calls

  private static func open(_ path: String, _ flags: Int32) throws(PlatformError) -> Int32 {
    var number: Int32 = -1
    try unsafe call("open", path) {
      #if canImport(Glibc)
        number = unsafe Glibc.open($0, flags | O_CLOEXEC, 0o666)
      #elseif canImport(Musl)
        number = unsafe Musl.open($0, flags | O_CLOEXEC, 0o666)
      #elseif canImport(Darwin)
        number = unsafe Darwin.open($0, flags | O_CLOEXEC, 0o666)
      #endif
      return number
    }
    return number
  }

  /// Calls with a path until the call is not interrupted; a negative answer is an error.
  private static func call(
    _ operation: String, _ path: String, _ body: (UnsafePointer<CChar>) -> Int32
  ) throws(PlatformError) {
    try checkPath(operation, path)
    try retry(operation, path) { unsafe path.withCString { unsafe body($0) } }
  }

  /// Calls until the call is not interrupted; a negative answer is an error.
  static func retry(
    _ operation: String, _ path: String, offset: Int64? = nil, _ body: () -> Int32
  ) throws(PlatformError) {
    while true {
      if body() >= 0 { return }
      let number = SystemError.number
      if number == EINTR { continue }
      throw SystemError.make(number, operation, path, offset: offset)
    }
  }

  /// A NUL would silently cut the path short.
  private static func checkPath(_ operation: String, _ path: String) throws(PlatformError) {
    if path.utf8.contains(0) {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "the path contains a NUL")
    }
  }

  static func status(
    of descriptor: Descriptor, _ path: String
  ) throws(PlatformError) -> FileStatus {
    var found = stat()
    try descriptor.use("fstat", path) { (number) throws(PlatformError) in
      try retry("fstat", path) { unsafe fstat(number, &found) }
    }
    return status(found)
  }

  private static func status(_ found: stat) -> FileStatus {
    FileStatus(
      size: Int64(found.st_size), allocatedSize: Int64(found.st_blocks) * 512,
      isDirectory: found.st_mode & S_IFMT == S_IFDIR)
  }
}
