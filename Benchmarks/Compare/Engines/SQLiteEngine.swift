import CBenchmarkSQLite

/// SQLite as a key-value store: one table without row ids, prepared statements, one connection a
/// thread.
struct SQLiteEngine: Engine {
  static let name = "sqlite"
  static let abilities: Set<Ability> = [.budget]
  static var settings: String {
    "\(String(cString: sqlite3_libversion())); WAL, synchronous=OFF, cache 1 GiB a connection, "
      + "WITHOUT ROWID, prepared statements; durable commits with synchronous=FULL"
  }

  private let path: String

  private let options: EngineOptions

  init(directory: String, options: EngineOptions) throws {
    path = directory + "/entries.sqlite"
    self.options = options
    var connection = try SQLiteConnection(path, options)
    try connection.execute(
      "CREATE TABLE IF NOT EXISTS entries(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")
    try connection.close()
  }

  func makeSession() throws -> SQLiteSession { try SQLiteSession(path, options) }
  func settle() {}
  func checkpoint() throws {
    var connection = try SQLiteConnection(path, options)
    try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try connection.close()
  }
  func close() {}
}

/// A connection that belongs to one thread.
struct SQLiteConnection {
  let handle: OpaquePointer

  init(_ path: String, _ options: EngineOptions) throws {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle else {
      throw BenchmarkError("SQLite: cannot open \(path)")
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, 60_000)
    try execute("PRAGMA journal_mode=WAL")
    try execute("PRAGMA synchronous=OFF")
    if options.isDurable { try execute("PRAGMA synchronous=FULL") }
    try execute("PRAGMA cache_size=-\(options.cacheBytes >> 10)")
  }

  func check(_ code: Int32) throws {
    if code != SQLITE_OK, code != SQLITE_DONE, code != SQLITE_ROW {
      throw BenchmarkError("SQLite: \(String(cString: sqlite3_errmsg(handle)))")
    }
  }

  func execute(_ text: String) throws { try check(sqlite3_exec(handle, text, nil, nil, nil)) }

  func prepare(_ text: String) throws -> OpaquePointer {
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v3(handle, text, -1, 1, &statement, nil))  // 1: kept for long
    return statement!
  }

  mutating func close() throws { try check(sqlite3_close_v2(handle)) }
}

/// Bound memory outlives the step that reads it; columns are read before the next step.
struct SQLiteSession: EngineSession {
  private var connection: SQLiteConnection
  private let inserting: OpaquePointer
  private let selecting: OpaquePointer
  private let deleting: OpaquePointer
  private let scanning: OpaquePointer
  private let beginning: OpaquePointer
  private let committing: OpaquePointer

  init(_ path: String, _ options: EngineOptions) throws {
    connection = try SQLiteConnection(path, options)
    inserting = try connection.prepare("INSERT OR REPLACE INTO entries VALUES(?1, ?2)")
    selecting = try connection.prepare("SELECT v FROM entries WHERE k = ?1")
    deleting = try connection.prepare("DELETE FROM entries WHERE k = ?1")
    scanning = try connection.prepare("SELECT k, v FROM entries WHERE k >= ?1 ORDER BY k")
    beginning = try connection.prepare("BEGIN IMMEDIATE")
    committing = try connection.prepare("COMMIT")
  }

  private func step(_ statement: OpaquePointer) throws {
    let code = sqlite3_step(statement)
    try connection.check(code)
    sqlite3_reset(statement)
  }

  private func bind(_ bytes: UnsafeRawBufferPointer, _ place: Int32, _ statement: OpaquePointer) {
    sqlite3_bind_blob(statement, place, bytes.baseAddress, Int32(bytes.count), nil)
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws {
    bind(key, 1, inserting)
    bind(value, 2, inserting)
    try step(inserting)
  }

  /// The connection was opened so that every commit syncs.
  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws { try put(key, value) }

  mutating func putAll(_ entries: EntryList) throws {
    try step(beginning)
    for index in 0..<entries.count { try put(entries.key(index), entries.value(index)) }
    try step(committing)
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    bind(key, 1, selecting)
    defer { sqlite3_reset(selecting) }
    let code = sqlite3_step(selecting)
    try connection.check(code)
    guard code == SQLITE_ROW else { return nil }
    return try body(column(0, selecting))
  }

  mutating func remove(_ key: Bytes) throws {
    bind(key, 1, deleting)
    try step(deleting)
    guard sqlite3_changes(connection.handle) == 1 else {
      throw BenchmarkError("an entry to remove was missing")
    }
  }

  private func column(_ place: Int32, _ statement: OpaquePointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: sqlite3_column_blob(statement, place),
      count: Int(sqlite3_column_bytes(statement, place)))
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    if let start {
      bind(start, 1, scanning)
    } else {
      sqlite3_bind_zeroblob(scanning, 1, 0)
    }
    defer { sqlite3_reset(scanning) }
    while true {
      let code = sqlite3_step(scanning)
      try connection.check(code)
      guard code == SQLITE_ROW, try body(column(0, scanning), column(1, scanning)) else { return }
    }
  }

  mutating func close() throws {
    for statement in [inserting, selecting, deleting, scanning, beginning, committing] {
      sqlite3_finalize(statement)
    }
    try connection.close()
  }
}
