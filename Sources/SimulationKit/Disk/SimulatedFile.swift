internal import EngineKit
public import Platform

/// A file of a simulated disk, open in one incarnation of a process.
///
/// The order in each call: gate, latency, faults, effect, trace. Nothing may be looked up before the gate or
/// the delay and used after it: other threads run there.
///
/// Safe: pointers come from spans and arrays and are used while those lend them, for at most their count.
public final class SimulatedFile: File, @unchecked Sendable {
  // Sendable because the simulated scheduler lets one thread run at a time.

  public let path: String
  private let fileSystem: SimulatedFileSystem
  private let inode: Inode
  private let isWritable: Bool
  private var isOpen = true

  private var disk: SimulatedDisk { fileSystem.disk }

  init(_ fileSystem: SimulatedFileSystem, _ inode: Inode, _ path: String, isWritable: Bool) {
    self.fileSystem = fileSystem
    self.inode = inode
    self.path = path
    self.isWritable = isWritable
  }

  public func read(
    into buffer: inout MutableRawSpan, at offset: Int64
  ) throws(PlatformError) -> Int {
    let gate = try enter("read")
    try check("read", offset, buffer.byteCount)
    try meetReadFaults(gate, offset)
    let start = Int(offset)
    var count = min(buffer.byteCount, max(0, inode.length - start))
    if count > 1, gate.strikes(.shortRead) {
      count = 1 + Int(gate.draw("read.count", below: UInt64(count - 1)))
    }
    let wanted = count
    try disk.meetLatentError(inode, at: start, count: count, path, gate)
    return unsafe buffer.withUnsafeMutableBytes { target in
      unsafe transfer(gate, target.baseAddress, at: start, count: wanted)
    }
  }

  public func readParallel(_ requests: [ReadRequest]) throws(PlatformError) -> [[UInt8]] {
    let gate = try enter("readParallel")
    for request in requests { try check("readParallel", request.offset, request.length) }
    var results: [[UInt8]] = []
    results.reserveCapacity(requests.count)
    for request in requests {
      try meetReadFaults(gate, request.offset)
      let start = Int(request.offset)
      if request.length > max(0, inode.length - start) {
        throw PlatformError(
          .endOfFile, operation: "readParallel", path: path, offset: request.offset,
          detail: "wanted \(request.length) bytes of a file of \(inode.length)")
      }
      let length = request.length
      try disk.meetLatentError(inode, at: start, count: length, path, gate)
      results.append(
        unsafe [UInt8](unsafeUninitializedCapacity: length) { target, initialized in
          let base = unsafe target.baseAddress.map { UnsafeMutableRawPointer($0) }
          initialized = unsafe transfer(gate, base, at: start, count: length)
        })
    }
    return results
  }

  public func write(_ bytes: RawSpan, at offset: Int64) throws(PlatformError) -> Int {
    let gate = try enter("write")
    try checkWritable("write", offset, bytes.byteCount)
    if bytes.byteCount == 0 { return 0 }
    try fileSystem.delay(gate)
    try checkWritable("write", offset, bytes.byteCount)
    let start = Int(offset)
    var count = bytes.byteCount
    if gate.strikes(.writeError) {
      // The call failed somewhere on its way; what it had done by then is done.
      count = Int(gate.draw("write.failedAfter", below: UInt64(count)))
      count = disk.writable(inode, at: start, count: count)
      take(gate, "write.failed", bytes, at: start, count: count)
      throw PlatformError(
        .inputOutput, operation: "write", path: path, offset: offset, detail: "injected")
    }
    try fileSystem.meetNoSpace(gate, "write", path, offset)
    if count > 1, gate.strikes(.shortWrite) {
      count = 1 + Int(gate.draw("write.count", below: UInt64(count - 1)))
    }
    let possible = disk.writable(inode, at: start, count: count)
    if possible < count { gate.count(.noSpace) }
    if possible == 0 {
      throw PlatformError(.noSpace, operation: "write", path: path, offset: offset)
    }
    take(gate, "write", bytes, at: start, count: possible)
    return possible
  }

  public func size() throws(PlatformError) -> Int64 {
    let gate = try enter("size")
    try check("size", 0, 0)
    gate.record("size", inode.id, UInt64(inode.length), 0)
    return Int64(inode.length)
  }

  public func syncData() throws(PlatformError) { try sync("syncData") }

  public func syncAll() throws(PlatformError) { try sync("syncAll") }

  public func truncate(to size: Int64) throws(PlatformError) {
    let gate = try enter("truncate")
    try checkWritable("truncate", size, 0)
    try fileSystem.meetWriteError(gate, "truncate", path, size)
    disk.watch?.meet(StorageChange(path, .truncate(size: size)), on: disk)
    disk.truncate(inode, to: Int(size))
    gate.record("truncate", inode.id, UInt64(size), 0)
  }

  public func allocate(offset: Int64, length: Int64) throws(PlatformError) {
    let gate = try enter("allocate")
    let (start, count) = try checkRange("allocate", offset, length)
    try fileSystem.meetNoSpace(gate, "allocate", path, offset)
    try fileSystem.meetWriteError(gate, "allocate", path, offset)
    if disk.writable(inode, at: start, count: count) < count {
      gate.count(.noSpace)
      throw PlatformError(.noSpace, operation: "allocate", path: path, offset: offset)
    }
    disk.allocate(inode, at: start, count: count)
    gate.record("allocate", inode.id, UInt64(offset), UInt64(length))
  }

  public func punchHole(offset: Int64, length: Int64) throws(PlatformError) {
    let gate = try enter("punchHole")
    let (start, count) = try checkRange("punchHole", offset, length)
    try fileSystem.meetWriteError(gate, "punchHole", path, offset)
    disk.punchHole(inode, from: start, to: start + count)
    gate.record("punchHole", inode.id, UInt64(offset), UInt64(length))
  }

  /// Not a seam call: it cannot fail, and a dead process has nothing to close.
  public func close() {
    if !isOpen { return }
    isOpen = false
    guard let gate = fileSystem.incarnation.gate else { return }
    fileSystem.incarnation.close(inode)
    disk.settle(inode)
    gate.record("close", inode.id, 0, 0)
  }
}

extension SimulatedFile {
  private func enter(_ call: StaticString) throws(PlatformError) -> any SeamGate {
    try fileSystem.enter(call)
  }

  private func sync(_ call: StaticString) throws(PlatformError) {
    let gate = try enter(call)
    try check("\(call)", 0, 0)
    try fileSystem.delay(gate)
    try check("\(call)", 0, 0)
    if inode.hasWorkForSync, gate.strikes(.lyingSync) {
      disk.hasRotted = true
      gate.record(call, inode.id, 1, 0)
      return
    }
    if gate.strikes(.syncFailure) {
      disk.failSync(inode)
      gate.record(call, inode.id, 2, 0)
      throw PlatformError(
        .inputOutput, operation: "\(call)", path: path, detail: "injected")
    }
    disk.sync(inode)
    gate.record(call, inode.id, 0, 0)
  }

  private func meetReadFaults(_ gate: any SeamGate, _ offset: Int64) throws(PlatformError) {
    try fileSystem.delay(gate)
    try check("read", offset, 0)
    try fileSystem.meetReadError(gate, "read", path, offset)
  }

  /// Copies out a range that the file has, with the decay that it meets, and records it.
  private func transfer(
    _ gate: any SeamGate, _ target: UnsafeMutableRawPointer?, at start: Int, count: Int
  ) -> Int {
    guard count > 0, let target = unsafe target else {
      gate.record("read", inode.id, UInt64(start), 0)
      return 0
    }
    if disk.mayRot(inode, at: start), gate.strikes(.bitRot) {
      // In the first sector, which is known to be allocated.
      let size = DiskGeometry.sectorSize
      let end = min(start + count, (start / size + 1) * size)
      disk.rot(inode, from: start, to: end, isMet: true, choosing: gate)
    }
    let done = unsafe disk.read(inode, target, at: start, count: count)
    if !inode.damage.isEmpty {
      var met = unsafe disk.applyDamage(inode, to: target, at: start, count: done)
      while met > 0 {
        gate.count(.bitRot)
        met -= 1
      }
    }
    if disk.mayLie(inode, start, done),
      unsafe !disk.meetMisdirectedRead(inode, target, at: start, count: done, gate)
    {
      unsafe disk.meetStaleRead(inode, target, at: start, count: done, gate)
    }
    let hash = gate.tracesBytes ? unsafe TraceBytes.hash(target, done) : 0
    gate.record("read", inode.id, UInt64(start), hash)
    return done
  }

  /// Writes the first `count` bytes and records them.
  private func take(
    _ gate: any SeamGate, _ call: StaticString, _ bytes: RawSpan, at start: Int, count: Int
  ) {
    var hash: UInt64 = 0
    unsafe bytes.withUnsafeBytes { source in
      guard count > 0, let base = source.baseAddress else { return }
      if let watch = disk.watch, watch.concerns(path) {
        let bytes = unsafe [UInt8](source.prefix(count))
        watch.meet(StorageChange(path, .write(offset: Int64(start), bytes: bytes)), on: disk)
      }
      if unsafe !disk.meetMisdirectedWrite(inode, base, at: start, count: count, gate) {
        unsafe disk.write(inode, base, at: start, count: count)
      }
      if gate.tracesBytes { hash = unsafe TraceBytes.hash(base, count) }
    }
    gate.record(call, inode.id, UInt64(start), hash)
  }

  private func check(
    _ operation: String, _ offset: Int64, _ count: Int
  ) throws(PlatformError) {
    if !isOpen {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "the file is closed")
    }
    if offset < 0 || count < 0 {
      throw PlatformError(.invalidArgument, operation: operation, path: path, offset: offset)
    }
  }

  private func checkWritable(
    _ operation: String, _ offset: Int64, _ count: Int
  ) throws(PlatformError) {
    try check(operation, offset, count)
    if !isWritable {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "opened for reading")
    }
    if offset > Int64(DiskGeometry.largestFile) || count > DiskGeometry.largestFile - Int(offset) {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, offset: offset,
        detail: "beyond the largest file")
    }
  }

  private func checkRange(
    _ operation: String, _ offset: Int64, _ length: Int64
  ) throws(PlatformError) -> (start: Int, count: Int) {
    if length <= 0 || length > Int64(DiskGeometry.largestFile) {
      throw PlatformError(.invalidArgument, operation: operation, path: path, offset: offset)
    }
    try checkWritable(operation, offset, Int(length))
    return (Int(offset), Int(length))
  }
}
