internal import CPlatform

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A file of the operating system.
final class RealFile: File {
  let path: String
  let descriptor: Descriptor
  let direct = DirectDescriptor()

  init(path: String, descriptor: Descriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    if buffer.byteCount == 0 { return 0 }
    let path = path
    return try descriptor.use("pread", path) { (number) throws(PlatformError) in
      while true {
        // The kernel writes at most the buffer's length into it.
        let count = unsafe buffer.withUnsafeMutableBytes {
          unsafe pread(number, $0.baseAddress, $0.count, off_t(offset))
        }
        if count >= 0 { return count }
        try Self.unlessInterrupted("pread", path, offset)
      }
    }
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    if bytes.byteCount == 0 { return 0 }
    let path = path
    return try descriptor.use("pwrite", path) { (number) throws(PlatformError) in
      while true {
        // The kernel reads at most the buffer's length from it.
        let count = unsafe bytes.withUnsafeBytes {
          unsafe pwrite(number, $0.baseAddress, $0.count, off_t(offset))
        }
        if count >= 0 { return count }
        try Self.unlessInterrupted("pwrite", path, offset)
      }
    }
  }

  /// The kernel is told of all ranges first, so that it reads what is missing side by side; the
  /// reads that follow then wait for the slowest and not for the sum.
  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    for request in requests where request.length < 0 || request.offset < 0 {
      throw PlatformError(
        .invalidArgument, operation: "pread", path: path, offset: request.offset)
    }
    #if !canImport(Darwin)
      if requests.count > 1 {
        try descriptor.use("posix_fadvise", path) { (number) throws(PlatformError) in
          // A hint: whether it was taken does not matter.
          for request in requests {
            _ = posix_fadvise(
              number, off_t(request.offset), off_t(request.length), POSIX_FADV_WILLNEED)
          }
        }
      }
    #endif
    var results: [[UInt8]] = []
    results.reserveCapacity(requests.count)
    for request in requests {
      results.append(try readFully(at: request.offset, count: request.length))
    }
    return results
  }

  func size() throws(PlatformError) -> Int64 {
    try RealFileSystem.status(of: descriptor, path).size
  }

  func syncData() throws(PlatformError) {
    #if canImport(Darwin)
      try syncAll()
    #else
      try call("fdatasync") { fdatasync($0) }
    #endif
  }

  func syncAll() throws(PlatformError) {
    #if canImport(Darwin)
      // Here fsync does not reach the medium.
      try call("fcntl(F_FULLFSYNC)") { fcntl($0, F_FULLFSYNC) }
    #else
      try call("fsync") { fsync($0) }
    #endif
  }

  func truncate(to size: Int64) throws(PlatformError) {
    try call("ftruncate", offset: size) { ftruncate($0, off_t(size)) }
  }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    if length == 0 { return }
    #if canImport(Darwin)
      let (end, overflow) = offset.addingReportingOverflow(length)
      if offset < 0 || length < 0 || overflow {
        throw PlatformError(.invalidArgument, operation: "allocate", path: path, offset: offset)
      }
      if try size() < end { try truncate(to: end) }
    #else
      try call("fallocate", offset: offset) { platform_allocate($0, offset, length) }
    #endif
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    if length == 0 { return }
    #if canImport(Darwin)
      var hole = fpunchhole_t(
        fp_flags: 0, reserved: 0, fp_offset: off_t(offset), fp_length: off_t(length))
      try call("fcntl(F_PUNCHHOLE)", offset: offset) { unsafe fcntl($0, F_PUNCHHOLE, &hole) }
    #else
      try call("fallocate(punch hole)", offset: offset) {
        platform_punch_hole($0, offset, length)
      }
    #endif
  }

  func close() {
    direct.close()
    descriptor.close()
  }

  private func call(
    _ operation: String, offset: Int64? = nil, _ body: (Int32) -> Int32
  ) throws(PlatformError) {
    let path = path
    try descriptor.use(operation, path) { (number) throws(PlatformError) in
      try RealFileSystem.retry(operation, path, offset: offset) { body(number) }
    }
  }

  private static func unlessInterrupted(
    _ operation: String, _ path: String, _ offset: Int64
  ) throws(PlatformError) {
    let number = SystemError.number
    if number == EINTR { return }
    throw SystemError.make(number, operation, path, offset: offset)
  }
}
