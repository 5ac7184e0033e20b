import Foundation

/// What the disk does without any engine: the limits that engines are held against.
enum BareDisk {
  private static let block = 4096
  /// O_DIRECT, which the importer of C headers does not see.
  #if arch(arm64)
    private static let direct: Int32 = 0o200_000
  #else
    private static let direct: Int32 = 0o40_000
  #endif

  private static func check(_ result: Int, _ what: String) throws {
    if result < 0 { throw BenchmarkError("\(what): \(String(cString: strerror(errno)))") }
  }

  private static func aligned(_ size: Int) -> UnsafeMutableRawBufferPointer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: block)
    bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
    return bytes
  }

  /// Commits of one thread by a write of 4 KiB into a file of 8 MiB that was written before, and
  /// `fdatasync`.
  static func commits(for seconds: Double, in directory: String) throws -> Measurement {
    let size = 8 << 20
    let file = Foundation.open(directory + "/bare", O_RDWR | O_CREAT | O_TRUNC, 0o644)
    try check(Int(file), "open")
    defer { Foundation.close(file) }
    let bytes = aligned(block)
    defer { bytes.deallocate() }
    for place in stride(from: 0, to: size, by: block) {
      try check(pwrite(file, bytes.baseAddress, block, off_t(place)), "write")
    }
    try check(Int(fsync(file)), "fsync")
    var measurement = Measurement()
    let begun = ContinuousClock.now
    repeat {
      let number = measurement.operations
      bytes.storeBytes(of: UInt64(number), as: UInt64.self)
      try check(pwrite(file, bytes.baseAddress, block, off_t(number * block % size)), "write")
      try check(Int(fdatasync(file)), "fdatasync")
      measurement.operations += 1
      measurement.seconds = (ContinuousClock.now - begun) / .seconds(1)
    } while measurement.seconds < seconds
    measurement.writtenBytes = measurement.operations * block
    return measurement
  }

  /// Reads of whole pages at random places of a file, one after the other, past the page cache.
  static func reads(_ path: String, pageSize: Int, seconds: Double) throws -> Measurement {
    let file = Foundation.open(path, O_RDONLY | direct)
    try check(Int(file), "open \(path)")
    defer { Foundation.close(file) }
    var status = stat()
    try check(Int(fstat(file, &status)), "fstat")
    let length = (pageSize + block - 1) / block * block
    let places = Int(status.st_size) / length
    guard places > 0 else { throw BenchmarkError("\(path) is shorter than a page") }
    let bytes = aligned(length)
    defer { bytes.deallocate() }
    var draws = Draws(seed: 1)
    var measurement = Measurement()
    let begun = ContinuousClock.now
    repeat {
      let place = draws.below(places) * length
      try check(pread(file, bytes.baseAddress, length, off_t(place)), "read")
      measurement.operations += 1
      measurement.seconds = (ContinuousClock.now - begun) / .seconds(1)
    } while measurement.seconds < seconds
    measurement.readBytes = measurement.operations * length
    return measurement
  }
}
