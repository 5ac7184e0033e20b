/// What a name stands for: a file or a directory. Guarded by its file system's lock.
final class InMemoryNode {
  var contents = InMemoryContents()
  /// For a directory: name in UTF-8 -> node. Listed only after sorting.
  var entries: [[UInt8]: InMemoryNode] = [:]
  let isDirectory: Bool
  /// Somebody holds the advisory lock.
  var isLocked = false

  init(isDirectory: Bool) { self.isDirectory = isDirectory }
}
