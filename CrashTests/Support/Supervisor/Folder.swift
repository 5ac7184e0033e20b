internal import Platform

/// A directory of plain files and folders, as a whole.
struct Folder {
  let path: String
  let files: any FileSystem

  init(_ path: String, _ files: any FileSystem) {
    self.path = path
    self.files = files
  }

  /// What the file system has allocated for the files in it. What is removed meanwhile does not count.
  var allocatedBytes: Int64 {
    var sum: Int64 = 0
    for name in names {
      guard let status = status(path + "/" + name) else { continue }
      sum +=
        status.isDirectory
        ? Folder(path + "/" + name, files).allocatedBytes : status.allocatedSize
    }
    return sum
  }

  /// Removes it, with all that is in it. What is not there, or does not go, is left.
  func erase() {
    guard let own = status(path) else { return }
    do throws(PlatformError) {
      if !own.isDirectory { return try files.remove(path) }
      for name in names { Folder(path + "/" + name, files).erase() }
      try files.removeDirectory(path)
    } catch {}
  }

  /// Makes `target` a copy of it: files byte for byte. Nothing is synced.
  func copy(to target: String) throws(PlatformError) {
    Folder(target, files).erase()
    guard let own = status(path), own.isDirectory else { return }
    try files.createDirectory(target)
    for name in names {
      guard let status = status(path + "/" + name) else { continue }
      if status.isDirectory {
        try Folder(path + "/" + name, files).copy(to: target + "/" + name)
      } else {
        try copyFile(name, Int(status.size), to: target)
      }
    }
  }

  private func copyFile(_ name: String, _ size: Int, to target: String) throws(PlatformError) {
    let source = try files.open(path + "/" + name, .read)
    defer { source.close() }
    let copy = try files.open(target + "/" + name, .createNew)
    defer { copy.close() }
    let piece = 1 << 20
    var offset = 0
    while offset < size {
      let bytes = try source.readAvailable(at: Int64(offset), count: min(piece, size - offset))
      if bytes.isEmpty { return }
      try copy.writeFully(bytes, at: Int64(offset))
      offset += bytes.count
    }
  }

  private var names: [String] {
    do throws(PlatformError) { return try files.list(path) } catch { return [] }
  }

  private func status(_ path: String) -> FileStatus? {
    do throws(PlatformError) { return try files.status(path) } catch { return nil }
  }
}
