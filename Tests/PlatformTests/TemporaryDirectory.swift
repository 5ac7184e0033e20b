import Platform

/// A directory of the real file system for one test, removed with all that it holds at the end.
func withTemporaryDirectory(_ body: (String) throws -> Void) throws {
  let files = RealFileSystem()
  let path = "/tmp/luge-platform-\(String(RealEntropy().next(), radix: 36))"
  try files.createDirectory(path)
  defer { try? removeTree(files, path) }
  try body(path)
}

private func removeTree(_ files: RealFileSystem, _ path: String) throws {
  for name in try files.list(path) {
    let inner = "\(path)/\(name)"
    if try files.status(inner)?.isDirectory == true {
      try removeTree(files, inner)
    } else {
      try files.remove(inner)
    }
  }
  try files.removeDirectory(path)
}
