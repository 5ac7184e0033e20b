import Platform

@testable import Luge

/// Makes small databases and keeps a model of them. A process dies by `kill`: then what was not written is lost with it.
final class ImageMaker {
  static let directory = "/db"

  private let platform = PlatformServices.inMemory()
  private let configuration: Configuration
  private var database: Database?
  private var contents = ImageContents()
  /// From where the last group of the redo begins to where it ends: damage in it may be taken for a torn tail.
  private var group = [ImageContents()]
  /// After each commit since then.
  private var unflushed: [ImageContents] = []
  private var number = 0

  /// Small everything.
  static func configuration(_ compression: Compression = .none) -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = .manual
    configuration.flushInterval = nil
    configuration.redoSegmentSize = 16 << 10
    configuration.pageSegmentSize = 16 << 10
    configuration.valueSegmentSize = 16 << 10
    configuration.largeValueSize = 200
    configuration.largeCommitSize = 1024
    configuration.logBufferSize = 64 << 10
    configuration.pageBufferSize = 4096
    configuration.maximumWriters = 4
    configuration.ordinaryCommitSize = 1024
    configuration.identifierReservation = 16
    configuration.leafEntries = 8
    configuration.leafAppendSlots = 2
    configuration.chunkPages = 3
    configuration.pageSize = 256
    configuration.maximumOpenSegments = 2
    configuration.compression = compression
    configuration.memoryBudget = configuration.leastMemoryBudget + (128 << 10)
    return configuration
  }

  init(_ configuration: Configuration) throws {
    self.configuration = configuration
    try open()
  }

  func open() throws {
    database = try Database.open(
      at: Self.directory, configuration: configuration, platform: platform)
  }

  private func live() throws -> Database {
    guard let database else { throw Finding("no database is open") }
    return database
  }

  private func committed() { unflushed.append(contents) }

  func put(_ key: String, _ length: Int, in tree: String = "") throws {
    number += 1
    let value = (0..<length).map { UInt8(truncatingIfNeeded: $0 / 3 + number) }
    try add(tree: tree)
    try live().tree(named: tree).setValue(value, forKey: Array(key.utf8))
    contents.set(Array(key.utf8), value, in: tree)
    committed()
  }

  func remove(_ key: String, in tree: String = "") throws {
    _ = try live().tree(named: tree).removeValue(forKey: Array(key.utf8))
    contents.set(Array(key.utf8), nil, in: tree)
    committed()
  }

  func batch(_ keys: [String], _ length: Int, in trees: [String]) throws {
    for tree in trees { try add(tree: tree) }
    var batch = WriteBatch()
    for (place, key) in keys.enumerated() {
      number += 1
      let tree = trees[place % trees.count]
      let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length)
      batch.updateValue(value, forKey: Array(key.utf8), in: try live().tree(named: tree))
      contents.set(Array(key.utf8), value, in: tree)
    }
    try live().apply(batch)
    committed()
  }

  func add(tree: String, _ compression: Compression? = nil) throws {
    if contents.trees.contains(where: { $0.tree == tree }) { return }
    _ = try live().tree(named: tree, compression: compression)
    contents.add(tree: tree)
    committed()
  }

  func drop(tree: String) throws {
    _ = try live().dropTree(named: tree)
    contents.remove(tree: tree)
    committed()
  }

  func takeID() throws { _ = try live().nextID() }

  /// Ends a group.
  func flush() throws {
    try live().flush()
    if unflushed.isEmpty { return }
    group = group.suffix(1) + unflushed
    unflushed = []
  }

  /// What a superblock says was durable is durable.
  func checkpoint() throws {
    try live().checkpoint()
    (group, unflushed) = ([contents], [])
  }

  func evict(_ pages: Int) throws { for _ in 0..<pages { try live().evictPage() } }
  func clean() throws { try live().cleanSegment() }

  func close() throws {
    try live().close()
    database = nil
    (group, unflushed) = ([contents], [])
  }

  func kill() { database = nil }

  func image(_ name: String) throws -> DatabaseImage {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in try platform.files.list(Self.directory) {
      let file = try platform.files.open("\(Self.directory)/\(name)", .read)
      files.append((name, try file.readFully(at: 0, count: Int(try file.size()))))
      file.close()
    }
    return DatabaseImage(
      name: name, files: files, states: group + unflushed, spans: ImageSpan.all(files),
      configuration: configuration)
  }
}
