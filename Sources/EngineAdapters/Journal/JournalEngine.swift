internal import EngineKit
internal import HistoryKit
internal import Platform

/// One ordered map in memory; each flush puts what has changed into a file of its own, a group.
///
/// `group-N` is a `ReferenceImage` of the keys that have changed since group N - 1, each with a byte 1 and its value, or
/// a byte 0 where it was removed. A flush: write the file, sync it, sync the directory.
///
/// Invariants: all state is touched only with `lock` held; groups below `next` are whole and, where syncs keep their
/// word, durable; after a failed flush nothing is written any more.
final class JournalEngine: KeyValueEngine, @unchecked Sendable {
  // Unchecked: see the first invariant.
  private let lock: Lock
  private let files: any FileSystem
  private let directory: String
  private let ownership: any FileLock
  private var contents = OrderedModel()
  private var changes = OrderedModel()
  private var next = 0
  private var failure: EngineError?
  private var isClosed = false

  /// - Parameter skips: reads on behind a group that is gone, or not whole.
  init(_ directory: String, on platform: PlatformServices, skips: Bool) throws(EngineError) {
    lock = Lock(threads: platform.threads)
    files = platform.files
    self.directory = directory
    do throws(PlatformError) {
      ownership = try ReferenceEngine.own(directory, platform.files)
    } catch { throw EngineError(error) }
    do throws(PlatformError) { try replay(skips) } catch {
      ownership.release()
      throw EngineError(error)
    }
  }

  private func replay(_ skips: Bool) throws(PlatformError) {
    let prefix = "group-"
    var numbers: [Int] = []
    for name in try files.list(directory) where name.hasPrefix(prefix) {
      if let number = Int(name.dropFirst(prefix.count)) { numbers.append(number) }
    }
    numbers.sort()
    for number in numbers {
      if skips || number == next, let group = try load(number) {
        apply(group)
        next = number + 1
      } else if !skips {
        // This one is not whole, or one before it: what is behind it is of no use, and its name will be.
        try files.remove(path(number))
      }
    }
    try files.syncDirectory(directory)
  }

  /// Nil where it is not whole.
  private func load(_ number: Int) throws(PlatformError) -> ReferenceImage? {
    let file = try files.open(path(number), .readWrite)
    defer { file.close() }
    let bytes = try file.readFully(at: 0, count: Int(try file.size()))
    // A killed predecessor may not have synced what is served from now on.
    try file.syncAll()
    return try? ReferenceImage(decoding: bytes)
  }

  private func apply(_ group: ReferenceImage) {
    for tree in group.contents.trees {
      for (key, value) in zip(tree.keys, tree.values) {
        _ = contents.set(
          value.first == 1 ? Bytes(value.dropFirst()) : nil, for: key, in: .default)
      }
    }
  }

  private func path(_ number: Int) -> String { "\(directory)/group-\(number)" }

  // MARK: Operations

  func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try begin()
    defer { lock.unlock() }
    return contents.value(for: key, in: tree)
  }

  func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    try begin()
    defer { lock.unlock() }
    return contents.scan(range, direction, limit: limit, in: tree)
  }

  func insert(_ value: Bytes, for key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try begin(toWrite: true)
    defer { lock.unlock() }
    _ = changes.set([1] + value, for: key, in: tree)
    return contents.set(value, for: key, in: tree)
  }

  func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try begin(toWrite: true)
    defer { lock.unlock() }
    _ = changes.set([0], for: key, in: tree)
    return contents.set(nil, for: key, in: tree)
  }

  func flush() throws(EngineError) {
    try begin(toWrite: true)
    defer { lock.unlock() }
    try writeOut()
  }

  func performBackgroundWork() throws(EngineError) { try flush() }

  func close() throws(EngineError) {
    try begin()
    defer { lock.unlock() }
    defer {
      isClosed = true
      ownership.release()
    }
    if let failure { throw failure }
    try writeOut()
  }

  /// With the lock held.
  private func writeOut() throws(EngineError) {
    if changes.count(in: .default) == 0 { return }
    do throws(PlatformError) {
      let file = try files.open(path(next), .readWriteOrCreate)
      defer { file.close() }
      try file.truncate(to: 0)
      try file.writeFully(ReferenceImage(contents: changes).encoded(), at: 0)
      try file.syncAll()
      try files.syncDirectory(directory)
    } catch {
      // What the disk holds now is not known: nothing that follows could be promised.
      let reason = EngineError(error)
      failure = reason
      throw reason
    }
    next += 1
    changes = OrderedModel()
  }

  private func begin(toWrite: Bool = false) throws(EngineError) {
    do throws(PlatformError) { try lock.lock() } catch { throw EngineError(error) }
    if isClosed {
      lock.unlock()
      throw EngineError(.closed, "the database is closed", isRefused: true)
    }
    if toWrite, let failure {
      lock.unlock()
      throw EngineError(
        .refused, "no writes after a failed flush: \(failure.message)", isRefused: true)
    }
  }
}
