/// A handle on a file in memory. Its node lives on after its name is removed.
final class InMemoryFile: File, @unchecked Sendable {
  // Unchecked: `isClosed` and the node are guarded by the file system's lock.
  let path: String
  private let node: InMemoryNode
  private let isWritable: Bool
  private let system: InMemoryFileSystem
  private var isClosed = false

  init(path: String, node: InMemoryNode, isWritable: Bool, system: InMemoryFileSystem) {
    self.path = path
    self.node = node
    self.isWritable = isWritable
    self.system = system
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try system.locked { () throws(PlatformError) in
      try check("pread", offset, 0, writes: false)
      return node.contents.read(into: &buffer, at: offset)
    }
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    try system.locked { () throws(PlatformError) in
      try check("pwrite", offset, Int64(bytes.byteCount), writes: true)
      if bytes.byteCount > 0 { node.contents.write(bytes, at: offset) }
      return bytes.byteCount
    }
  }

  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    var results: [[UInt8]] = []
    results.reserveCapacity(requests.count)
    for request in requests {
      if request.length < 0 {
        throw PlatformError(
          .invalidArgument, operation: "pread", path: path, offset: request.offset)
      }
      results.append(try readFully(at: request.offset, count: request.length))
    }
    return results
  }

  func size() throws(PlatformError) -> Int64 {
    try system.locked { () throws(PlatformError) in
      try check("fstat", 0, 0, writes: false)
      return node.contents.size
    }
  }

  func syncData() throws(PlatformError) {
    try system.locked { () throws(PlatformError) in
      try check("fdatasync", 0, 0, writes: false)
    }
  }

  func syncAll() throws(PlatformError) {
    try system.locked { () throws(PlatformError) in
      try check("fsync", 0, 0, writes: false)
    }
  }

  func truncate(to size: Int64) throws(PlatformError) {
    try system.locked { () throws(PlatformError) in
      try check("ftruncate", size, 0, writes: true)
      node.contents.truncate(to: size)
    }
  }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try system.locked { () throws(PlatformError) in
      try check("fallocate", offset, length, writes: true)
      if length > 0 { node.contents.allocate(offset: offset, length: length) }
    }
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    try system.locked { () throws(PlatformError) in
      try check("fallocate(punch hole)", offset, length, writes: true)
      if length > 0 { node.contents.punchHole(offset: offset, length: length) }
    }
  }

  func close() { try? system.locked { isClosed = true } }

  /// The refusals that the real calls share: closed, opened for reading, a range that cannot be.
  private func check(
    _ operation: String, _ offset: Int64, _ length: Int64, writes: Bool
  ) throws(PlatformError) {
    if isClosed {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "the file is closed")
    }
    if writes && !isWritable {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "opened for reading only")
    }
    if offset < 0 || length < 0 || offset.addingReportingOverflow(length).overflow {
      throw PlatformError(.invalidArgument, operation: operation, path: path, offset: offset)
    }
  }
}

/// A held lock on a file in memory.
final class InMemoryFileLock: FileLock, @unchecked Sendable {
  // Unchecked: both are guarded by the file system's lock.
  private var node: InMemoryNode?
  private let system: InMemoryFileSystem

  init(node: InMemoryNode, system: InMemoryFileSystem) {
    self.node = node
    self.system = system
  }

  deinit { release() }

  func release() {
    try? system.locked {
      node?.isLocked = false
      node = nil
    }
  }
}
