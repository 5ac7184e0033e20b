/// One of several reads that a file system does in one round; the files may differ.
public struct FileRead: Sendable {
  public var file: any File
  public var offset: Int64
  public var length: Int
  /// A hint that the system should not keep it in memory: the data is far larger than that. Counts for a
  /// round when its first read has it.
  public var isDirect: Bool

  public init(_ file: any File, at offset: Int64, length: Int, isDirect: Bool = false) {
    self.isDirect = isDirect
    self.file = file
    self.offset = offset
    self.length = length
  }
}

extension FileSystem {
  /// No bound.
  public var cacheBytes: Int64 { .max }

  /// One read after the other: right everywhere, and each is a point where a simulation may switch
  /// threads or inject a fault.
  public func read(_ requests: [FileRead]) throws(PlatformError) -> [[UInt8]] {
    var results: [[UInt8]] = []
    results.reserveCapacity(requests.count)
    var index = 0
    while index < requests.count {
      let request = requests[index]
      results.append(
        try request.file.readAvailable(at: request.offset, count: request.length))
      index += 1
    }
    return results
  }
}

extension File {
  /// Up to `count` bytes from `offset`; fewer only where the file ends.
  public func readAvailable(at offset: Int64, count: Int) throws(PlatformError) -> [UInt8] {
    guard count >= 0, offset >= 0 else {
      throw PlatformError(.invalidArgument, operation: "read", path: path, offset: offset)
    }
    var failure: PlatformError?
    // Each read fills the buffer from its start without a gap, and `initialized` says how far; the
    // memory is not touched otherwise, so that it need not be zeroed first.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let whole = UnsafeMutableRawBufferPointer(buffer)
      while initialized < count {
        var rest = unsafe MutableRawSpan(
          _unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: whole[initialized..<count]))
        do throws(PlatformError) {
          let transferred = try read(into: &rest, at: offset + Int64(initialized))
          if transferred == 0 { return }
          initialized += transferred
        } catch {
          failure = error
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
