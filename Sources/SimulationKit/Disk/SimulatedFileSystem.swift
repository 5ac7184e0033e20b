internal import CPlatform
internal import EngineKit
public import Platform

/// A simulated disk as one incarnation of a process has it mounted. Made by `SimulatedDisk.mount`.
///
/// Every call first enters the gate (where the scheduler may switch threads, and the process may
/// die), then meets its faults, then takes effect at once, then is recorded. When the process has
/// ended each call throws `.killed` and changes nothing.
///
/// Handles that are dropped without `close` stay open until the process ends: when a deinitializer
/// runs differs between builds, and must not be seen in a simulation.
public final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
  // Sendable because the simulated scheduler lets one thread run at a time.

  public let disk: SimulatedDisk
  let incarnation: Incarnation

  init(_ disk: SimulatedDisk, _ incarnation: Incarnation) {
    self.disk = disk
    self.incarnation = incarnation
  }

  /// False once the process has ended.
  public var isAlive: Bool { incarnation.gate != nil }

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    let gate = try enter("open")
    var location = try disk.locate(path, "open")
    if let found = location.inode {
      if found.isDirectory { throw PlatformError(.isADirectory, operation: "open", path: path) }
      if mode == .createNew {
        throw PlatformError(.alreadyExists, operation: "open", path: path)
      }
    } else {
      if mode == .read || mode == .readWrite {
        throw PlatformError(.notFound, operation: "open", path: path)
      }
      try meetNoSpace(gate, "open", path)
      location.inode = disk.create(location, isDirectory: false)
    }
    guard let inode = location.inode else {
      throw PlatformError(.notFound, operation: "open", path: path)
    }
    incarnation.open(inode)
    gate.record("open", inode.id, UInt64(inode.length), TraceBytes.hash(path))
    return SimulatedFile(self, inode, path, isWritable: mode != .read)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    let gate = try enter("createDirectory")
    if try disk.find(path, "createDirectory") != nil {
      throw PlatformError(.alreadyExists, operation: "createDirectory", path: path)
    }
    let location = try disk.locate(path, "createDirectory")
    try meetNoSpace(gate, "createDirectory", path)
    let made = disk.create(location, isDirectory: true)
    gate.record("createDirectory", made.id, 0, TraceBytes.hash(path))
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    let gate = try enter("status")
    guard let inode = try disk.find(path, "status") else {
      gate.record("status", .max, 0, TraceBytes.hash(path))
      return nil
    }
    gate.record("status", inode.id, UInt64(inode.length), TraceBytes.hash(path))
    return FileStatus(
      size: Int64(inode.length),
      allocatedSize: Int64(inode.contents.allocatedBlocks * DiskGeometry.blockSize),
      isDirectory: inode.isDirectory)
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    let gate = try enter("list")
    let inode = try findDirectory(directory, "list")
    try meetReadError(gate, "list", directory)
    var names: [String] = []
    names.reserveCapacity(inode.entries.entries.count)
    for entry in inode.entries.entries { names.append(String(decoding: entry.name, as: UTF8.self)) }
    gate.record("list", inode.id, UInt64(names.count), 0)
    return names
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    let gate = try enter("rename")
    let source = try disk.locate(path, "rename")
    let target = try disk.locate(newPath, "rename")
    guard let moved = source.inode else {
      throw PlatformError(.notFound, operation: "rename", path: path)
    }
    if let replaced = target.inode {
      if replaced === moved { return }
      if moved.isDirectory && !replaced.isDirectory {
        throw PlatformError(.notADirectory, operation: "rename", path: newPath)
      }
      if replaced.isDirectory && !moved.isDirectory {
        throw PlatformError(.isADirectory, operation: "rename", path: newPath)
      }
      if !replaced.entries.isEmpty {
        throw PlatformError(.notEmpty, operation: "rename", path: newPath)
      }
    }
    if moved.isDirectory && disk.isInside(target.directory, moved) {
      throw PlatformError(.invalidArgument, operation: "rename", path: newPath)
    }
    try meetWriteError(gate, "rename", path)
    disk.watch?.meet(StorageChange(path, .rename(to: newPath)), on: disk)
    disk.rename(source, to: target)
    gate.record("rename", moved.id, TraceBytes.hash(path), TraceBytes.hash(newPath))
  }

  public func remove(_ path: String) throws(PlatformError) {
    let gate = try enter("remove")
    let location = try disk.locate(path, "remove")
    guard let inode = location.inode else {
      throw PlatformError(.notFound, operation: "remove", path: path)
    }
    if inode.isDirectory { throw PlatformError(.isADirectory, operation: "remove", path: path) }
    try meetWriteError(gate, "remove", path)
    disk.watch?.meet(StorageChange(path, .remove), on: disk)
    disk.remove(location)
    gate.record("remove", inode.id, 0, TraceBytes.hash(path))
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    let gate = try enter("removeDirectory")
    let location = try disk.locate(path, "removeDirectory")
    guard let inode = location.inode else {
      throw PlatformError(.notFound, operation: "removeDirectory", path: path)
    }
    if !inode.isDirectory {
      throw PlatformError(.notADirectory, operation: "removeDirectory", path: path)
    }
    if !inode.entries.isEmpty {
      throw PlatformError(.notEmpty, operation: "removeDirectory", path: path)
    }
    try meetWriteError(gate, "removeDirectory", path)
    disk.remove(location)
    gate.record("removeDirectory", inode.id, 0, TraceBytes.hash(path))
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    let gate = try enter("syncDirectory")
    try delay(gate)
    let inode = try findDirectory(path, "syncDirectory")
    if disk.hasPendingNames(inode), gate.strikes(.lyingSync) {
      disk.hasRotted = true
      gate.record("syncDirectory", inode.id, 1, 0)
      return
    }
    if gate.strikes(.syncFailure) {
      // Names are metadata: the journal has them still, and the next sync may save them.
      gate.record("syncDirectory", inode.id, 2, 0)
      throw PlatformError(.inputOutput, operation: "syncDirectory", path: path)
    }
    disk.syncNames(inode)
    gate.record("syncDirectory", inode.id, 0, 0)
  }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let gate = try enter("lock")
    let location = try disk.locate(path, "lock")
    let inode: Inode
    if let found = location.inode {
      if found.isDirectory { throw PlatformError(.isADirectory, operation: "lock", path: path) }
      inode = found
    } else {
      try meetNoSpace(gate, "lock", path)
      inode = disk.create(location, isDirectory: false)
    }
    if inode.lockOwner != nil { throw PlatformError(.locked, operation: "lock", path: path) }
    inode.lockOwner = incarnation
    incarnation.open(inode)
    gate.record("lock", inode.id, 0, TraceBytes.hash(path))
    return SimulatedFileLock(self, inode)
  }

  private func findDirectory(
    _ path: String, _ operation: String
  ) throws(PlatformError) -> Inode {
    guard let inode = try disk.find(path, operation) else {
      throw PlatformError(.notFound, operation: operation, path: path)
    }
    if !inode.isDirectory { throw PlatformError(.notADirectory, operation: operation, path: path) }
    return inode
  }
}

/// A lock held by one incarnation.
final class SimulatedFileLock: FileLock, @unchecked Sendable {
  private let fileSystem: SimulatedFileSystem
  private let inode: Inode
  private var isHeld = true

  init(_ fileSystem: SimulatedFileSystem, _ inode: Inode) {
    self.fileSystem = fileSystem
    self.inode = inode
  }

  /// A lock that is dropped is free. Nothing else of the disk changes here, and nothing is traced:
  /// when this runs differs between builds.
  deinit {
    if isHeld && inode.lockOwner === fileSystem.incarnation { inode.lockOwner = nil }
  }

  /// Not a seam call: it cannot fail, and a dead process has no lock to give back.
  func release() {
    if !isHeld { return }
    isHeld = false
    guard let gate = fileSystem.incarnation.gate else { return }
    inode.lockOwner = nil
    fileSystem.incarnation.close(inode)
    fileSystem.disk.settle(inode)
    gate.record("unlock", inode.id, 0, 0)
  }
}

/// Hashes for the trace.
///
/// Safe: callers lend `count` bytes for the call; nothing is kept.
enum TraceBytes {
  static func hash(_ bytes: UnsafeRawPointer?, _ count: Int) -> UInt64 {
    let start = platform_hash128(low: UInt64(count), high: 0)
    guard count > 0, let bytes = unsafe bytes else { return start.low }
    let hash = unsafe platform_hash128_bytes(start, bytes, count)
    return hash.low ^ hash.high
  }

  static func hash(_ text: String) -> UInt64 {
    var text = text
    return text.withUTF8 { buffer in
      unsafe hash(UnsafeRawPointer(buffer.baseAddress), buffer.count)
    }
  }
}
