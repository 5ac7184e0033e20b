internal import EngineKit
internal import HistoryKit
internal import Platform

/// Builds a disk by the calls of a log, one by one, with the hash of its contents beside it.
///
/// Offsets and names come from a file: what cannot be is an error.
struct LogReplay {
  let disk: SimulatedDisk
  private(set) var hashes: DiskHash
  private var handles: [UInt32: Inode] = [:]
  /// Syncs under way: what they are of, and the number of the first change that they do not cover.
  private var syncs: [UInt32: Sync] = [:]

  private struct Sync {
    var inode: Inode
    var limit: UInt64
  }

  /// `hashes` are those of the disk.
  init(_ disk: SimulatedDisk, _ hashes: DiskHash = DiskHash()) {
    self.disk = disk
    self.hashes = hashes
  }

  mutating func apply(_ call: LoggedCall) throws(CallLogError) {
    do throws(PlatformError) {
      try perform(call)
    } catch {
      throw CallLogError("a call of the log cannot have happened: \(error)")
    }
  }

  private mutating func perform(_ call: LoggedCall) throws(PlatformError) {
    switch call {
    case .open(let handle, let path, let creates): try open(handle, path, creates)
    case .close(let handle): close(handle)
    case .createDirectory(let path):
      if try disk.find(path, "replay") == nil {
        _ = disk.create(try disk.locate(path, "replay"), isDirectory: true)
      }
    case .write(let handle, let offset, let bytes):
      let file = try file(handle)
      let (start, end) = try range(offset, UInt64(bytes.count))
      change(file, from: start, to: end) { disk in
        // The array is lent for the call, with its count.
        unsafe bytes.withUnsafeBytes { source in
          guard let base = source.baseAddress else { return }
          unsafe disk.write(file, base, at: start, count: source.count)
        }
      }
    case .truncate(let handle, let length):
      let file = try file(handle)
      let (_, end) = try range(0, length)
      change(file, from: end, to: max(end, file.length)) { disk in
        disk.truncate(file, to: end)
      }
    case .allocate(let handle, let offset, let length):
      let (start, end) = try range(offset, length)
      disk.allocate(try file(handle), at: start, count: end - start)
    case .punchHole(let handle, let offset, let length):
      let file = try file(handle)
      let (start, end) = try range(offset, length)
      change(file, from: start, to: end) { disk in
        disk.punchHole(file, from: start, to: end)
      }
    case .rename(let path, let other):
      let source = try disk.locate(path, "replay")
      let target = try disk.locate(other, "replay")
      if source.inode == nil { throw PlatformError(.notFound, operation: "replay", path: path) }
      // What has the name already keeps it, and nothing changes.
      if source.inode !== target.inode { disk.rename(source, to: target) }
    case .remove(let path), .removeDirectory(let path):
      let location = try disk.locate(path, "replay")
      if location.inode == nil { throw PlatformError(.notFound, operation: "replay", path: path) }
      disk.remove(location)
    case .syncBegan, .directorySyncBegan, .syncEnded: try sync(call)
    case .settled: settle()
    case .mark(.crashed): closeAll()
    case .mark: break
    }
  }

  private mutating func open(
    _ handle: UInt32, _ path: String, _ creates: Bool
  ) throws(PlatformError) {
    let location = try disk.locate(path, "replay")
    let inode: Inode
    if let found = location.inode {
      inode = found
    } else {
      if !creates { throw PlatformError(.notFound, operation: "replay", path: path) }
      inode = disk.create(location, isDirectory: false)
      hashes.clear(inode.slot)
    }
    close(handle)
    inode.openHandles += 1
    handles[handle] = inode
  }

  private mutating func close(_ handle: UInt32) {
    guard let inode = handles.removeValue(forKey: handle) else { return }
    inode.openHandles -= 1
    disk.settle(inode)
  }

  private mutating func closeAll() {
    for handle in handles.keys.sorted() { close(handle) }
    syncs = [:]
  }

  private func file(_ handle: UInt32) throws(PlatformError) -> Inode {
    guard let inode = handles[handle] else {
      throw PlatformError(
        .invalidArgument, operation: "replay", path: "handle \(handle)", detail: "it is not open")
    }
    return inode
  }

  private func range(
    _ offset: UInt64, _ count: UInt64
  ) throws(PlatformError) -> (Int, Int) {
    let most = UInt64(DiskGeometry.largestFile)
    if offset > most || count > most - offset {
      throw PlatformError(
        .invalidArgument, operation: "replay", path: "\(offset)", detail: "beyond any file")
    }
    return (Int(offset), Int(offset + count))
  }

  /// Runs `body`, which changes these bytes and no others.
  private mutating func change(
    _ file: Inode, from start: Int, to end: Int, _ body: (SimulatedDisk) -> Void
  ) {
    hashes.subtract(file, from: start, to: end)
    body(disk)
    hashes.add(file, from: start, to: end)
  }

  // MARK: Syncs

  private mutating func sync(_ call: LoggedCall) throws(PlatformError) {
    switch call {
    case .syncBegan(let number, let handle, _):
      syncs[number] = Sync(inode: try file(handle), limit: disk.sequence + 1)
    case .directorySyncBegan(let number, let path):
      guard let directory = try disk.find(path, "replay"), directory.isDirectory else {
        throw PlatformError(.notFound, operation: "replay", path: path)
      }
      syncs[number] = Sync(inode: directory, limit: disk.sequence + 1)
    case .syncEnded(let number, let succeeded):
      guard let sync = syncs.removeValue(forKey: number) else {
        throw PlatformError(
          .invalidArgument, operation: "replay", path: "sync \(number)", detail: "it never began")
      }
      if sync.inode.isDirectory {
        // Names are metadata: the journal has them still when a sync fails.
        if succeeded { disk.syncNames(sync.inode, before: sync.limit) }
      } else if succeeded {
        disk.sync(sync.inode, before: sync.limit)
      } else {
        disk.failSync(sync.inode)
      }
    default: break
    }
  }

  private func settle() {
    for inode in disk.inodes {
      guard let inode else { continue }
      if inode.isDirectory { disk.syncNames(inode) } else { disk.sync(inode) }
    }
  }
}
