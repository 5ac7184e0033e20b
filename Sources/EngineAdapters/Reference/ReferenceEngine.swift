internal import EngineKit
internal import HistoryKit
internal import Platform

/// The plainest engine that keeps every promise of the contract: ordered maps in memory, and at
/// each flush the whole contents in a new file that takes the old one's place. It measures the harness,
/// and stands beside engines that may be wrong.
///
/// A flush: write `contents.new` from its start, sync it, rename it to `contents`, sync the directory. Opening syncs what it
/// found before it serves it, because a killed predecessor may have got no further than the rename.
///
/// Invariants: all state is touched only with `lock` held; `durable` says that memory is what is on
/// stable storage; ids below `reserved` are on stable storage; after a failed flush nothing is written any more.
final class ReferenceEngine: KeyValueEngine, @unchecked Sendable {
  // Unchecked: see the first invariant.
  private static let identifierRange: UInt64 = 256

  private let files: any FileSystem
  private let directory: String
  private let lock: Lock
  private let ownership: any FileLock
  private var contents: OrderedModel
  private var reserved: UInt64
  private var nextIdentifier: UInt64
  private var durable = true
  private var failure: EngineError?
  private var isClosed = false

  /// - Parameter trusts: believes whatever it reads. For an engine that is wrong on purpose.
  init(
    _ directory: String, on platform: PlatformServices, trusts: Bool = false
  ) throws(EngineError) {
    self.directory = directory
    files = platform.files
    lock = Lock(threads: platform.threads)
    do throws(PlatformError) {
      ownership = try Self.own(directory, platform.files)
    } catch { throw EngineError(error) }
    do throws(EngineError) {
      let image = try Self.load(directory, platform.files, trusts)
      contents = image.contents
      reserved = image.reservedIDs
      nextIdentifier = image.reservedIDs
    } catch {
      ownership.release()
      throw error
    }
  }

  /// Makes the directory where it is missing, and locks it.
  static func own(
    _ directory: String, _ files: any FileSystem
  ) throws(PlatformError) -> any FileLock {
    if try files.status(directory) == nil {
      do throws(PlatformError) { try files.createDirectory(directory) } catch {
        if error.code != .alreadyExists { throw error }
      }
    }
    let ownership = try files.lock(directory + "/lock")
    do throws(PlatformError) {
      // Without contents the directory itself may be new: its name must be durable before they are.
      if try files.status(directory + "/contents") == nil {
        try files.syncDirectory(parent(of: directory))
      }
    } catch {
      ownership.release()
      throw error
    }
    return ownership
  }

  private static func load(
    _ directory: String, _ files: any FileSystem, _ trusts: Bool
  ) throws(EngineError) -> ReferenceImage {
    let bytes: [UInt8]
    do throws(PlatformError) {
      let path = directory + "/contents"
      guard try files.status(path) != nil else { return ReferenceImage() }
      let file = try files.open(path, .readWrite)
      defer { file.close() }
      bytes = try file.readFully(at: 0, count: Int(try file.size()))
      try file.syncAll()
      try files.syncDirectory(directory)
    } catch { throw EngineError(error) }
    return trusts ? ReferenceImage(trusting: bytes) : try ReferenceImage(decoding: bytes)
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  // MARK: Reading

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

  func snapshot() throws(EngineError) -> any EngineSnapshot {
    try begin()
    defer { lock.unlock() }
    return ReferenceSnapshot(contents)
  }

  func cursor(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> any EngineCursor {
    ReferenceCursor(try scan(range, .forward, limit: .max, in: tree))
  }

  func count(in tree: TreeName) throws(EngineError) -> Int {
    try begin()
    defer { lock.unlock() }
    return contents.count(in: tree)
  }

  func treeNames() throws(EngineError) -> [TreeName] {
    try begin()
    defer { lock.unlock() }
    var names = contents.trees.map(\.name)
    if !names.contains(.default) { names.append(.default) }
    return names.sorted()
  }

  func checkInvariants() throws(EngineError) -> [String] {
    try begin()
    defer { lock.unlock() }
    var findings: [String] = []
    for tree in contents.trees {
      for place in tree.keys.indices.dropFirst()
      where !tree.keys[place - 1].precedes(tree.keys[place]) {
        findings.append("tree \"\(tree.name)\": key \(place) is out of order")
      }
    }
    if nextIdentifier > reserved { findings.append("an id is not covered by the reservation") }
    return findings
  }

  // MARK: Writing

  func insert(_ value: Bytes, for key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try beginWriting()
    defer { lock.unlock() }
    durable = false
    return contents.set(value, for: key, in: tree)
  }

  func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try beginWriting()
    defer { lock.unlock() }
    durable = false
    return contents.set(nil, for: key, in: tree)
  }

  func compareExchange(
    _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
  ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
    try beginWriting()
    defer { lock.unlock() }
    let original = contents.value(for: key, in: tree)
    guard original.isSame(as: expected) else { return (false, original) }
    durable = false
    _ = contents.set(desired, for: key, in: tree)
    return (true, original)
  }

  func popFirst(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try pop(range, .forward, tree)
  }

  func popLast(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry? {
    try pop(range, .backward, tree)
  }

  private func pop(
    _ range: KeyRange, _ direction: Direction, _ tree: TreeName
  ) throws(EngineError) -> Entry? {
    try beginWriting()
    defer { lock.unlock() }
    guard let entry = contents.scan(range, direction, limit: 1, in: tree).first else { return nil }
    durable = false
    _ = contents.set(nil, for: entry.key, in: tree)
    return entry
  }

  func removeAll(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Int {
    try beginWriting()
    defer { lock.unlock() }
    let entries = contents.scan(range, .forward, limit: .max, in: tree)
    if !entries.isEmpty { durable = false }
    for entry in entries { _ = contents.set(nil, for: entry.key, in: tree) }
    return entries.count
  }

  func apply(_ batch: [BatchWrite]) throws(EngineError) {
    try beginWriting()
    defer { lock.unlock() }
    durable = false
    for write in batch { _ = contents.set(write.value, for: write.key, in: write.tree) }
  }

  func dropTree(_ tree: TreeName) throws(EngineError) -> Bool {
    if tree == .default {
      throw EngineError(.invalidArgument, "the default tree stays", isRefused: true)
    }
    try beginWriting()
    defer { lock.unlock() }
    let existed = contents.drop(tree)
    if existed { durable = false }
    return existed
  }

  func nextID() throws(EngineError) -> UInt64 {
    try beginWriting()
    defer { lock.unlock() }
    if nextIdentifier == reserved {
      let former = reserved
      reserved += Self.identifierRange
      durable = false
      do throws(EngineError) { try writeOut() } catch {
        reserved = former
        throw error
      }
    }
    nextIdentifier += 1
    return nextIdentifier - 1
  }

  // MARK: Durability

  func flush() throws(EngineError) {
    try beginWriting()
    defer { lock.unlock() }
    try writeOut()
  }

  func checkpoint() throws(EngineError) { try flush() }

  func performBackgroundWork() throws(EngineError) { try flush() }

  func close() throws(EngineError) {
    try begin()
    defer { lock.unlock() }
    defer {
      isClosed = true
      ownership.release()
    }
    if let failure {
      throw EngineError(
        .refused, "closed without what came after a failed flush: \(failure.message)")
    }
    try writeOut()
  }

  /// Writes everything to a new file and puts it in the old one's place. With the lock held.
  private func writeOut() throws(EngineError) {
    if durable { return }
    do throws(PlatformError) {
      try faultPoint("reference.write")
      let file = try files.open(directory + "/contents.new", .readWriteOrCreate)
      defer { file.close() }
      try file.truncate(to: 0)
      try file.writeFully(
        ReferenceImage(contents: contents, reservedIDs: reserved).encoded(), at: 0)
      try file.syncAll()
      try faultPoint("reference.rename")
      try files.rename(directory + "/contents.new", to: directory + "/contents")
      try files.syncDirectory(directory)
    } catch {
      // What the disk holds now is not known: nothing that follows could be promised.
      let reason = EngineError(error)
      failure = reason
      throw reason
    }
    probe("reference.written")
    durable = true
  }

  private func begin() throws(EngineError) {
    do throws(PlatformError) { try lock.lock() } catch { throw EngineError(error) }
    if isClosed {
      lock.unlock()
      throw EngineError(.closed, "the database is closed", isRefused: true)
    }
  }

  private func beginWriting() throws(EngineError) {
    try begin()
    if let failure {
      lock.unlock()
      throw EngineError(
        .refused, "no writes after a failed flush: \(failure.message)", isRefused: true)
    }
  }
}
