/// Whole transfers over the partial ones: a short read or write is continued, never taken as whole.
extension File {
  /// Reads exactly `count` bytes at `offset`. Throws `.endOfFile` where the file is shorter.
  public func readFully(at offset: Int64, count: Int) throws(PlatformError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = try readAvailable(at: offset, into: &bytes)
    if done < count {
      throw PlatformError(
        .endOfFile, operation: "read", path: path, offset: offset,
        detail: "wanted \(count) bytes, found \(done)")
    }
    return bytes
  }

  /// Reads until `bytes` is full or the file ends; returns the number of bytes read.
  public func readAvailable(
    at offset: Int64, into bytes: inout [UInt8]
  ) throws(PlatformError) -> Int {
    var done = 0
    let count = bytes.count
    while done < count {
      var span = bytes.mutableSpan
      var rest = span._mutatingExtracting(done..<count)
      // The element type is UInt8, for which every bit pattern is a value.
      var raw = unsafe rest.mutableBytes
      let transferred = try read(into: &raw, at: offset + Int64(done))
      if transferred == 0 { break }
      done += transferred
    }
    return done
  }

  /// Writes all of `bytes` at `offset`, continuing after short writes. A write that takes nothing
  /// is an error, so this ends.
  public func writeFully(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) {
    var done = 0
    let count = bytes.byteCount
    while done < count {
      let taken = try write(bytes.extracting(done..<count), at: offset + Int64(done))
      if taken <= 0 {
        throw PlatformError(
          .inputOutput, operation: "write", path: path, offset: offset + Int64(done),
          detail: "no progress after \(done) of \(count) bytes")
      }
      done += taken
    }
  }

  /// The same for an array. Every byte of a `UInt8` is initialised, so its raw view is sound.
  public func writeFully(_ bytes: [UInt8], at offset: Int64) throws(PlatformError) {
    try unsafe writeFully(bytes.span.bytes, at: offset)
  }
}
