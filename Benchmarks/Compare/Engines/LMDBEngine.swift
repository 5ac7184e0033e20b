import CLMDB

/// LMDB as its users run it without durability: a writable map, no syncs; with its defaults where
/// commits have to be durable.
///
/// The environment is used from several threads, as LMDB permits; pointers into the map are read
/// only within the transaction that returned them.
final class LMDBEngine: Engine, @unchecked Sendable {
  static let name = "lmdb"
  static var settings: String {
    "\(String(cString: mdb_version(nil, nil, nil))); NOSYNC, WRITEMAP, NOTLS; map of twice the data, "
      + "4 GiB at least (the page cache is its cache); read transactions renewed and reset for every "
      + "get; without NOSYNC and WRITEMAP in commit_sync"
  }

  private var environment: OpaquePointer?
  private var table: MDB_dbi = 0

  init(directory: String, options: EngineOptions) throws {
    try checkLMDB(mdb_env_create(&environment))
    try checkLMDB(mdb_env_set_mapsize(environment, max(2 * options.mapBytes, 4 << 30)))
    let flags = options.isDurable ? MDB_NOTLS : MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS
    try checkLMDB(mdb_env_open(environment, directory, UInt32(flags), 0o644))
    var transaction: OpaquePointer?
    try checkLMDB(mdb_txn_begin(environment, nil, 0, &transaction))
    try checkLMDB(mdb_dbi_open(transaction, nil, UInt32(MDB_CREATE), &table))
    try checkLMDB(mdb_txn_commit(transaction))
  }

  func makeSession() throws -> LMDBSession { try LMDBSession(environment, table) }
  func settle() throws { try checkLMDB(mdb_env_sync(environment, 1)) }
  func close() { mdb_env_close(environment) }
}

@inline(__always)
private func checkLMDB(_ code: Int32) throws {
  if code != 0 { throw BenchmarkError("LMDB: \(String(cString: mdb_strerror(code)))") }
}

@inline(__always)
private func bytes(_ value: MDB_val) -> UnsafeRawBufferPointer {
  UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
}

@inline(__always)
private func lent(_ bytes: Bytes) -> MDB_val {
  MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
}

struct LMDBSession: EngineSession {
  private let environment: OpaquePointer?
  private let table: MDB_dbi
  private let reader: OpaquePointer
  private let cursor: OpaquePointer

  init(_ environment: OpaquePointer?, _ table: MDB_dbi) throws {
    self.environment = environment
    self.table = table
    var reader: OpaquePointer?
    try checkLMDB(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &reader))
    var cursor: OpaquePointer?
    try checkLMDB(mdb_cursor_open(reader, table, &cursor))
    mdb_txn_reset(reader)
    self.reader = reader!
    self.cursor = cursor!
  }

  private func write(_ body: (OpaquePointer?) throws -> Void) throws {
    var transaction: OpaquePointer?
    try checkLMDB(mdb_txn_begin(environment, nil, 0, &transaction))
    do {
      try body(transaction)
    } catch {
      mdb_txn_abort(transaction)
      throw error
    }
    try checkLMDB(mdb_txn_commit(transaction))
  }

  private func put(_ key: Bytes, _ value: Bytes, in transaction: OpaquePointer?) throws {
    var name = lent(key)
    var data = lent(value)
    try checkLMDB(mdb_put(transaction, table, &name, &data, 0))
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws {
    try write { try put(key, value, in: $0) }
  }

  /// The environment was opened so that every commit syncs.
  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws { try put(key, value) }

  mutating func putAll(_ entries: EntryList) throws {
    try write { transaction in
      for index in 0..<entries.count {
        try put(entries.key(index), entries.value(index), in: transaction)
      }
    }
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    try checkLMDB(mdb_txn_renew(reader))
    defer { mdb_txn_reset(reader) }
    var name = lent(key)
    var data = MDB_val()
    let code = mdb_get(reader, table, &name, &data)
    if code == MDB_NOTFOUND { return nil }
    try checkLMDB(code)
    return try body(bytes(data))
  }

  mutating func remove(_ key: Bytes) throws {
    try write { transaction in
      var name = lent(key)
      try checkLMDB(mdb_del(transaction, table, &name, nil))
    }
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    try checkLMDB(mdb_txn_renew(reader))
    defer { mdb_txn_reset(reader) }
    try checkLMDB(mdb_cursor_renew(reader, cursor))
    var key = MDB_val()
    var data = MDB_val()
    var code: Int32
    if let start {
      key = lent(start)
      code = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE)
    } else {
      code = mdb_cursor_get(cursor, &key, &data, MDB_FIRST)
    }
    while code == 0 {
      guard try body(bytes(key), bytes(data)) else { return }
      code = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)
    }
    if code != MDB_NOTFOUND { try checkLMDB(code) }
  }

  mutating func close() {
    mdb_cursor_close(cursor)
    mdb_txn_abort(reader)
  }
}
