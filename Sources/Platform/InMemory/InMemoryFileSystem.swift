internal import Synchronization

/// Files in memory, with the semantics of the real ones: the same contract test passes on both.
/// Nothing survives the value; syncs have nothing to do.
///
/// Paths with and without a leading "/" mean the same; "." and ".." are understood.
///
/// Invariant: every node, and all that hangs from it, is touched only under `guardian`. No call
/// parks or calls out while holding it.
public final class InMemoryFileSystem: FileSystem, @unchecked Sendable {
  private let guardian = Mutex<Void>(())
  private let root = InMemoryNode(isDirectory: true)

  public init() {}

  public func open(_ path: String, _ mode: OpenMode) throws(PlatformError) -> any File {
    let node = try locked { () throws(PlatformError) in
      try openNode(path, mode, operation: "open")
    }
    return InMemoryFile(path: path, node: node, isWritable: mode != .read, system: self)
  }

  public func createDirectory(_ path: String) throws(PlatformError) {
    try locked { () throws(PlatformError) in
      let place = try find(path, "mkdir")
      if place.node != nil { throw PlatformError(.alreadyExists, operation: "mkdir", path: path) }
      place.parent.entries[place.name] = InMemoryNode(isDirectory: true)
    }
  }

  public func status(_ path: String) throws(PlatformError) -> FileStatus? {
    try locked { () throws(PlatformError) in
      let node: InMemoryNode?
      do throws(PlatformError) { node = try find(path, "stat").node } catch {
        if error.code == .notFound { return nil }
        throw error
      }
      guard let node else { return nil }
      return FileStatus(
        size: node.contents.size, allocatedSize: node.contents.allocatedSize,
        isDirectory: node.isDirectory)
    }
  }

  public func list(_ directory: String) throws(PlatformError) -> [String] {
    try locked { () throws(PlatformError) in
      let node = try existing(directory, "open")
      guard node.isDirectory else {
        throw PlatformError(.notADirectory, operation: "open", path: directory)
      }
      return node.entries.keys.sorted { $0.lexicographicallyPrecedes($1) }
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }

  public func rename(_ path: String, to newPath: String) throws(PlatformError) {
    try locked { () throws(PlatformError) in
      let from = try find(path, "rename")
      guard let node = from.node else {
        throw PlatformError(.notFound, operation: "rename", path: path)
      }
      let to = try find(newPath, "rename")
      if to.node === node { return }
      if node.isDirectory && contains(node, to.parent) {
        throw PlatformError(
          .invalidArgument, operation: "rename", path: path, detail: "into itself")
      }
      if let replaced = to.node {
        if replaced.isDirectory != node.isDirectory {
          throw PlatformError(
            replaced.isDirectory ? .isADirectory : .notADirectory, operation: "rename",
            path: path)
        }
        if !replaced.entries.isEmpty {
          throw PlatformError(.notEmpty, operation: "rename", path: path)
        }
      }
      from.parent.entries[from.name] = nil
      to.parent.entries[to.name] = node
    }
  }

  public func remove(_ path: String) throws(PlatformError) {
    try locked { () throws(PlatformError) in
      let place = try find(path, "unlink")
      guard let node = place.node else {
        throw PlatformError(.notFound, operation: "unlink", path: path)
      }
      if node.isDirectory {
        throw PlatformError(.isADirectory, operation: "unlink", path: path)
      }
      place.parent.entries[place.name] = nil
    }
  }

  public func removeDirectory(_ path: String) throws(PlatformError) {
    try locked { () throws(PlatformError) in
      let place = try find(path, "rmdir")
      guard let node = place.node else {
        throw PlatformError(.notFound, operation: "rmdir", path: path)
      }
      if !node.isDirectory {
        throw PlatformError(.notADirectory, operation: "rmdir", path: path)
      }
      if node === root || !node.entries.isEmpty {
        throw PlatformError(.notEmpty, operation: "rmdir", path: path)
      }
      place.parent.entries[place.name] = nil
    }
  }

  public func syncDirectory(_ path: String) throws(PlatformError) {
    try locked { () throws(PlatformError) in
      guard try existing(path, "fsync").isDirectory else {
        throw PlatformError(.notADirectory, operation: "fsync", path: path)
      }
    }
  }

  public func lock(_ path: String) throws(PlatformError) -> any FileLock {
    let node = try locked { () throws(PlatformError) in
      let node = try openNode(path, .readWriteOrCreate, operation: "flock")
      if node.isLocked { throw PlatformError(.locked, operation: "flock", path: path) }
      node.isLocked = true
      return node
    }
    return InMemoryFileLock(node: node, system: self)
  }

  // MARK: Under the lock

  /// Runs `body` under the lock. It must not call out.
  func locked<Result>(
    _ body: () throws(PlatformError) -> Result
  ) throws(PlatformError) -> Result {
    guardian._unsafeLock()
    defer { guardian._unsafeUnlock() }
    return try body()
  }

  private func openNode(
    _ path: String, _ mode: OpenMode, operation: String
  ) throws(PlatformError) -> InMemoryNode {
    let place = try find(path, operation)
    if let node = place.node {
      if mode == .createNew {
        throw PlatformError(.alreadyExists, operation: operation, path: path)
      }
      if node.isDirectory {
        throw PlatformError(.isADirectory, operation: operation, path: path)
      }
      return node
    }
    if mode == .read || mode == .readWrite {
      throw PlatformError(.notFound, operation: operation, path: path)
    }
    let node = InMemoryNode(isDirectory: false)
    place.parent.entries[place.name] = node
    return node
  }

  private func existing(_ path: String, _ operation: String) throws(PlatformError) -> InMemoryNode {
    guard let node = try find(path, operation).node else {
      throw PlatformError(.notFound, operation: operation, path: path)
    }
    return node
  }

  private struct Place {
    var parent: InMemoryNode
    var name: [UInt8]
    var node: InMemoryNode?
  }

  /// Walks to a path's last component. Throws where a directory on the way is missing or is none.
  private func find(_ path: String, _ operation: String) throws(PlatformError) -> Place {
    let bytes = Array(path.utf8)
    if bytes.isEmpty { throw PlatformError(.notFound, operation: operation, path: path) }
    if bytes.contains(0) {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "the path contains a NUL")
    }
    // The root is its own parent, under a name that no path can spell.
    var walked = [Place(parent: root, name: [], node: root)]
    for component in bytes.split(separator: UInt8(ascii: "/")) where component != [0x2E] {
      guard let here = walked[walked.count - 1].node else {
        throw PlatformError(.notFound, operation: operation, path: path)
      }
      guard here.isDirectory else {
        throw PlatformError(.notADirectory, operation: operation, path: path)
      }
      if component == [0x2E, 0x2E] {
        if walked.count > 1 { walked.removeLast() }
        continue
      }
      let name = Array(component)
      walked.append(Place(parent: here, name: name, node: here.entries[name]))
    }
    return walked[walked.count - 1]
  }

  /// Whether `inner` is `outer` or hangs from it.
  private func contains(_ outer: InMemoryNode, _ inner: InMemoryNode) -> Bool {
    if outer === inner { return true }
    return outer.entries.values.contains { contains($0, inner) }
  }
}
