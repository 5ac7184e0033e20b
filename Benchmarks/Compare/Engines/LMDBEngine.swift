import CLMDB

/// LMDB as its users run it without durability: a writable map, no syncs; with its defaults where
/// commits have to be durable.
///
/// The environment is used from several threads, as LMDB permits; pointers into the map are read
/// only within the transaction that returned them. It is exchanged only while there is no session.
final class LMDBEngine: Engine, @unchecked Sendable {
  static let name = "lmdb"
  static var settings: String {
    "\(String(cString: mdb_version(nil, nil, nil))); NOSYNC, WRITEMAP, NOTLS; map "
      + "4 GiB (the page cache is its cache); read transactions renewed and reset for every get; "
      + "reopened without NOSYNC and WRITEMAP for commit_sync"
  }

  private let directory: String
  private var environment: OpaquePointer?
  private var table: MDB_dbi = 0
  private var isDurable = false

  init(directory: String) throws {
    self.directory = directory
    try open()
  }

  private func open() throws {
    try checkLMDB(mdb_env_create(&environment))
    try checkLMDB(mdb_env_set_mapsize(environment, 4 << 30))
    let flags = isDurable ? MDB_NOTLS : MDB_NOSYNC | MDB_WRITEMAP | MDB_NOTLS
    try checkLMDB(mdb_env_open(environment, directory, UInt32(flags), 0o644))
    var transaction: OpaquePointer?
    try checkLMDB(mdb_txn_begin(environment, nil, 0, &transaction))
    try checkLMDB(mdb_dbi_open(transaction, nil, UInt32(MDB_CREATE), &table))
    try checkLMDB(mdb_txn_commit(transaction))
  }

  func prepare(durable: Bool) throws {
    guard durable != isDurable else { return }
    close()
    isDurable = durable
    try open()
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

struct LMDBSession: EngineSession {
  private let environment: OpaquePointer?
  private let table: MDB_dbi
  private let reader: OpaquePointer
  private let cursor: OpaquePointer
  private let value = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Item.valueSize, alignment: 8)

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

  private func put(_ item: Item, in transaction: OpaquePointer?) throws {
    item.writeValue(to: value)
    try item.withKey { key in
      var name = MDB_val(
        mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
      var data = MDB_val(mv_size: Item.valueSize, mv_data: value.baseAddress)
      try checkLMDB(mdb_put(transaction, table, &name, &data, 0))
    }
  }

  mutating func put(_ item: Item) throws { try write { try put(item, in: $0) } }

  /// The environment was opened so that every commit syncs.
  mutating func putDurably(_ item: Item) throws { try put(item) }

  mutating func putAll(_ items: [Item]) throws {
    try write { transaction in
      for item in items { try put(item, in: transaction) }
    }
  }

  mutating func version(of item: Item) throws -> UInt64? {
    try checkLMDB(mdb_txn_renew(reader))
    defer { mdb_txn_reset(reader) }
    return try item.withKey { key in
      var name = MDB_val(
        mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
      var data = MDB_val()
      let code = mdb_get(reader, table, &name, &data)
      if code == MDB_NOTFOUND { return nil }
      try checkLMDB(code)
      return try item.check(bytes(data))
    }
  }

  mutating func remove(_ item: Item) throws {
    try write { transaction in
      try item.withKey { key in
        var name = MDB_val(
          mv_size: key.count, mv_data: UnsafeMutableRawPointer(mutating: key.baseAddress))
        try checkLMDB(mdb_del(transaction, table, &name, nil))
      }
    }
  }

  mutating func scan(from start: Item?, limit: Int) throws -> Int {
    try checkLMDB(mdb_txn_renew(reader))
    defer { mdb_txn_reset(reader) }
    try checkLMDB(mdb_cursor_renew(reader, cursor))
    var check = ScanCheck()
    var key = MDB_val()
    var data = MDB_val()
    var code: Int32
    if let start {
      code = start.withKey { bytes in
        key = MDB_val(
          mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        return mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE)
      }
    } else {
      code = mdb_cursor_get(cursor, &key, &data, MDB_FIRST)
    }
    while code == 0 {
      try check.meet(key: bytes(key), value: bytes(data))
      if check.count == limit { return limit }
      code = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)
    }
    if code != MDB_NOTFOUND { try checkLMDB(code) }
    return check.count
  }

  mutating func close() {
    mdb_cursor_close(cursor)
    mdb_txn_abort(reader)
    value.deallocate()
  }
}
