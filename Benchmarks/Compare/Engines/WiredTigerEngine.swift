import CWiredTiger

/// WiredTiger with its log on. A connection is safe to share; sessions and cursors stay on a thread.
struct WiredTigerEngine: Engine, @unchecked Sendable {
  static let name = "wiredtiger"
  static let abilities: Set<Ability> = [.budget]
  static let settings =
    "\(WIREDTIGER_VERSION_MAJOR).\(WIREDTIGER_VERSION_MINOR).\(WIREDTIGER_VERSION_PATCH); cache 1 "
    + "GiB, row store, log without sync, checkpoint each 64 MiB of log, no compression; otherwise "
    + "defaults, but with a cache below 256 MiB log files of 1 MiB; durable commits by sync=on"

  private let connection: UnsafeMutablePointer<WT_CONNECTION>

  init(directory: String, options: EngineOptions) throws {
    var connection: UnsafeMutablePointer<WT_CONNECTION>?
    // It keeps 128 buffers of a tenth of a log file or 256 KiB: 32 MiB beside a cache of 64, for which
    // the system ended it in a memory cgroup of 128.
    let logFile = options.cacheBytes < 256 << 20 ? ",file_max=1MB" : ""
    try checkWiredTiger(
      benchmark_wt_open(
        directory,
        "create,cache_size=\(options.cacheBytes),session_max=64,log=(enabled=true\(logFile)),"
          + "transaction_sync=(enabled=false),checkpoint=(log_size=64MB)", &connection))
    self.connection = connection!
    var session: UnsafeMutablePointer<WT_SESSION>?
    try checkWiredTiger(benchmark_wt_session(connection, &session))
    try checkWiredTiger(benchmark_wt_create(session, "key_format=u,value_format=u"))
    try checkWiredTiger(benchmark_wt_end(session))
  }

  func makeSession() throws -> WiredTigerSession { try WiredTigerSession(connection) }

  func settle() throws {
    var session: UnsafeMutablePointer<WT_SESSION>?
    try checkWiredTiger(benchmark_wt_session(connection, &session))
    try checkWiredTiger(benchmark_wt_sync(session))
    try checkWiredTiger(benchmark_wt_end(session))
  }

  func checkpoint() throws {
    var session: UnsafeMutablePointer<WT_SESSION>?
    try checkWiredTiger(benchmark_wt_session(connection, &session))
    try checkWiredTiger(benchmark_wt_checkpoint(session))
    try checkWiredTiger(benchmark_wt_end(session))
  }

  func close() throws { try checkWiredTiger(benchmark_wt_close(connection)) }
}

@inline(__always)
private func checkWiredTiger(_ code: Int32) throws {
  if code != 0 { throw BenchmarkError("WiredTiger: \(String(cString: wiredtiger_strerror(code)))") }
}

/// What a cursor points to is read before it moves or is reset.
struct WiredTigerSession: EngineSession {
  private let session: UnsafeMutablePointer<WT_SESSION>
  private let cursor: UnsafeMutablePointer<WT_CURSOR>

  init(_ connection: UnsafeMutablePointer<WT_CONNECTION>) throws {
    var session: UnsafeMutablePointer<WT_SESSION>?
    var cursor: UnsafeMutablePointer<WT_CURSOR>?
    try checkWiredTiger(benchmark_wt_session(connection, &session))
    try checkWiredTiger(benchmark_wt_cursor(session, &cursor))
    self.session = session!
    self.cursor = cursor!
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws {
    try checkWiredTiger(
      benchmark_wt_put(cursor, key.baseAddress, key.count, value.baseAddress, value.count))
  }

  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws {
    try checkWiredTiger(benchmark_wt_begin(session))
    try put(key, value)
    try checkWiredTiger(benchmark_wt_commit(session, "sync=on"))
  }

  mutating func putAll(_ entries: EntryList) throws {
    try checkWiredTiger(benchmark_wt_begin(session))
    for index in 0..<entries.count { try put(entries.key(index), entries.value(index)) }
    try checkWiredTiger(benchmark_wt_commit(session, nil))
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    let code = benchmark_wt_search(cursor, key.baseAddress, key.count)
    if code == WT_NOTFOUND { return nil }
    try checkWiredTiger(code)
    var found = WT_ITEM()
    try checkWiredTiger(benchmark_wt_value(cursor, &found))
    let result = try body(Bytes(start: found.data, count: found.size))
    try checkWiredTiger(benchmark_wt_reset(cursor))
    return result
  }

  mutating func remove(_ key: Bytes) throws {
    try checkWiredTiger(benchmark_wt_remove(cursor, key.baseAddress, key.count))
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    var code = Int32(0)
    if let start {
      code = benchmark_wt_seek(cursor, start.baseAddress, start.count)
    } else {
      code = benchmark_wt_next(cursor)  // a cursor that is reset begins at the first
    }
    var key = WT_ITEM()
    var value = WT_ITEM()
    while code == 0 {
      try checkWiredTiger(benchmark_wt_entry(cursor, &key, &value))
      let (key, value) = (
        Bytes(start: key.data, count: key.size), Bytes(start: value.data, count: value.size)
      )
      guard try body(key, value) else { break }
      code = benchmark_wt_next(cursor)
    }
    if code != WT_NOTFOUND { try checkWiredTiger(code) }
    try checkWiredTiger(benchmark_wt_reset(cursor))
  }

  mutating func close() throws {
    try checkWiredTiger(benchmark_wt_end(session))
  }
}
