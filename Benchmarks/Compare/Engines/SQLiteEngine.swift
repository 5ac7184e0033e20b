import CBenchmarkSQLite

/// SQLite as a key-value store: one table without row ids, prepared statements, one connection a
/// thread.
struct SQLiteEngine: Engine {
  static let name = "sqlite"
  static var settings: String {
    "\(String(cString: sqlite3_libversion())); WAL, synchronous=OFF, cache 1 GiB a connection, "
      + "WITHOUT ROWID, prepared statements; durable commits with synchronous=FULL"
  }

  private let path: String

  init(directory: String) throws {
    path = directory + "/entries.sqlite"
    var connection = try SQLiteConnection(path)
    try connection.execute("CREATE TABLE entries(k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID")
    try connection.close()
  }

  func makeSession() throws -> SQLiteSession { try SQLiteSession(path) }
  func settle() {}
  func close() {}
}

/// A connection that belongs to one thread.
struct SQLiteConnection {
  let handle: OpaquePointer

  init(_ path: String) throws {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle else {
      throw BenchmarkError("SQLite: cannot open \(path)")
    }
    self.handle = handle
    sqlite3_busy_timeout(handle, 60_000)
    try execute("PRAGMA journal_mode=WAL")
    try execute("PRAGMA synchronous=OFF")
    try execute("PRAGMA cache_size=-1048576")
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
  private var isDurable = false
  private let value = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Item.valueSize, alignment: 8)

  init(_ path: String) throws {
    connection = try SQLiteConnection(path)
    inserting = try connection.prepare("INSERT OR REPLACE INTO entries VALUES(?1, ?2)")
    selecting = try connection.prepare("SELECT v FROM entries WHERE k = ?1")
    deleting = try connection.prepare("DELETE FROM entries WHERE k = ?1")
    scanning = try connection.prepare("SELECT k, v FROM entries WHERE k >= ?1 ORDER BY k LIMIT ?2")
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

  mutating func put(_ item: Item) throws {
    item.writeValue(to: value)
    try item.withKey { key in
      bind(key, 1, inserting)
      bind(UnsafeRawBufferPointer(value), 2, inserting)
      try step(inserting)
    }
  }

  mutating func putDurably(_ item: Item) throws {
    if !isDurable {
      try connection.execute("PRAGMA synchronous=FULL")
      isDurable = true
    }
    try put(item)
  }

  mutating func putAll(_ items: [Item]) throws {
    try step(beginning)
    for item in items { try put(item) }
    try step(committing)
  }

  mutating func version(of item: Item) throws -> UInt64? {
    try item.withKey { key in
      bind(key, 1, selecting)
      defer { sqlite3_reset(selecting) }
      let code = sqlite3_step(selecting)
      try connection.check(code)
      guard code == SQLITE_ROW else { return nil }
      return try item.check(column(0, selecting))
    }
  }

  mutating func remove(_ item: Item) throws {
    try item.withKey { key in
      bind(key, 1, deleting)
      try step(deleting)
    }
    guard sqlite3_changes(connection.handle) == 1 else {
      throw BenchmarkError("an entry to remove was missing")
    }
  }

  private func column(_ place: Int32, _ statement: OpaquePointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: sqlite3_column_blob(statement, place),
      count: Int(sqlite3_column_bytes(statement, place)))
  }

  mutating func scan(from start: Item?, limit: Int) throws -> Int {
    sqlite3_bind_int64(scanning, 2, limit == .max ? -1 : Int64(limit))
    guard let start else {
      sqlite3_bind_zeroblob(scanning, 1, 0)
      return try walk()
    }
    return try start.withKey { key in
      bind(key, 1, scanning)
      return try walk()
    }
  }

  private func walk() throws -> Int {
    defer { sqlite3_reset(scanning) }
    var check = ScanCheck()
    while true {
      let code = sqlite3_step(scanning)
      try connection.check(code)
      guard code == SQLITE_ROW else { return check.count }
      try check.meet(key: column(0, scanning), value: column(1, scanning))
    }
  }

  mutating func close() throws {
    for statement in [inserting, selecting, deleting, scanning, beginning, committing] {
      sqlite3_finalize(statement)
    }
    try connection.close()
    value.deallocate()
  }
}
