import Luge

/// Luge by its public interface.
struct LugeEngine: Engine {
  static let name = "luge"
  static let settings =
    "memory budget 1 GiB for everything; otherwise defaults (redo flushed every 500 ms), no "
    + "compression; each operation of load_seq its own commit; with a budget below 35 MiB a log "
    + "buffer of 1 MiB"
  static let loadTransaction = 1
  static let abilities: Set<Ability> = [.identifiers, .compression, .budget]

  private let database: Database

  init(directory: String, options: EngineOptions) throws {
    var configuration = Configuration()
    configuration.memoryBudget = options.cacheBytes
    if options.cacheBytes < 2 * configuration.leastMemoryBudget {
      configuration.logBufferSize = 1 << 20
      configuration.maximumWriters = 16
    }
    if options.isCompressed { configuration.compression = .zstd }
    database = try Database.open(at: directory, configuration: configuration)
  }

  func makeSession() -> LugeSession { LugeSession(database) }
  func settle() throws { try database.flush() }
  func checkpoint() throws { try database.checkpoint() }
  func close() throws { try database.close() }
}

/// Keys and values are lent as spans where the interface takes them.
struct LugeSession: EngineSession {
  private let database: Database
  private let tree: Tree

  init(_ database: Database) {
    self.database = database
    tree = database.defaultTree
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws {
    try tree.setValue(value.bytes, forKey: key.bytes)
  }

  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws {
    try put(key, value)
    try database.flush()
  }

  mutating func putAll(_ entries: EntryList) throws {
    var batch = WriteBatch()
    for index in 0..<entries.count {
      batch.updateValue(entries.value(index).bytes, forKey: entries.key(index).bytes, in: tree)
    }
    try database.apply(batch)
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    try tree.withValue(forKey: key.bytes) { try $0.withUnsafeBytes(body) }
  }

  /// Whether the key was there is not told: that nothing is left is checked at the end.
  mutating func remove(_ key: Bytes) throws { try tree.discardValue(forKey: key.bytes) }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    var cursor = tree.cursor(in: start.map { .from([UInt8]($0)) } ?? .all)
    while try cursor.moveNext() {
      let goesOn = try cursor.key.withUnsafeBytes { key in
        try cursor.value.withUnsafeBytes { try body(key, $0) }
      }
      if !goesOn { return }
    }
  }

  mutating func nextID() throws -> UInt64 { try database.nextID() }
  mutating func close() {}
}
