internal import Platform

/// A handle on a file of an image.
///
/// Safe: every range is cut to the array's bounds, or the array grows, before bytes are copied.
final class ImageFile: File, @unchecked Sendable {
  // Unchecked: for one thread at a time.
  let path: String
  private let node: ImageFileSystem.Node
  private let system: ImageFileSystem

  init(_ path: String, _ node: ImageFileSystem.Node, _ system: ImageFileSystem) {
    self.path = path
    self.node = node
    self.system = system
  }

  func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(PlatformError) -> Int {
    let start = try place(offset, "read")
    let count = min(buffer.byteCount, max(0, node.bytes.count - start))
    if count == 0 { return 0 }
    if covers(start, count, node.unreadable) {
      throw PlatformError(.inputOutput, operation: "read", path: path, offset: offset)
    }
    system.noteRead(node, from: start, count: count)
    // Within the file's bytes, and not more than the caller's buffer takes.
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe node.bytes.withUnsafeBytes { source in
        unsafe target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
      }
    }
    return count
  }

  func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    let start = try place(offset, "write")
    let count = bytes.byteCount
    if count == 0 { return 0 }
    if covers(start, count, node.unreadable) { node.unreadable = -1 }
    try extend(to: start + count, "write")
    // The file has been made long enough.
    unsafe bytes.withUnsafeBytes { source in
      unsafe node.bytes.withUnsafeMutableBytes { target in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[start..<start + count])
          .copyMemory(from: source)
      }
    }
    return count
  }

  func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    var results: [[UInt8]] = []
    for request in requests {
      results.append(try readFully(at: request.offset, count: request.length))
    }
    return results
  }

  func size() throws(PlatformError) -> Int64 { Int64(node.bytes.count) }

  func syncData() throws(PlatformError) {}

  func syncAll() throws(PlatformError) {}

  func truncate(to size: Int64) throws(PlatformError) {
    let end = try place(size, "truncate")
    if end < node.bytes.count {
      node.bytes.removeLast(node.bytes.count - end)
    } else {
      try extend(to: end, "truncate")
    }
  }

  func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    try extend(to: try place(offset, "allocate") + place(length, "allocate"), "allocate")
  }

  func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    var index = try place(offset, "punchHole")
    let end = min(node.bytes.count, try place(offset + length, "punchHole"))
    while index < end {
      node.bytes[index] = 0
      index += 1
    }
  }

  func close() {}

  /// Whether a range touches a sector; -1 is none.
  private func covers(_ start: Int, _ count: Int, _ sector: Int) -> Bool {
    sector >= start / DiskGeometry.sectorSize
      && sector < DiskGeometry.sectors(upTo: start + count)
  }

  /// No recipe needs so much: who asks for it was told so by bytes under a forged checksum.
  private static let mostBytes = 64 << 20

  private func extend(to end: Int, _ operation: String) throws(PlatformError) {
    if end <= node.bytes.count { return }
    if end > Self.mostBytes {
      throw PlatformError(.noSpace, operation: operation, path: path)
    }
    node.bytes.append(contentsOf: repeatElement(0, count: end - node.bytes.count))
  }

  /// Nothing here is larger than what memory holds: whoever asks for more asks for what damage told it.
  private func place(_ offset: Int64, _ operation: String) throws(PlatformError) -> Int {
    if offset < 0 || offset > 1 << 30 {
      throw PlatformError(.invalidArgument, operation: operation, path: path, offset: offset)
    }
    return Int(offset)
  }
}
