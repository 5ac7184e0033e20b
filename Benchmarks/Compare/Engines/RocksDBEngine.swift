import CRocksDB

/// RocksDB by its C interface. The database is safe to use from several threads.
struct RocksDBEngine: Engine, @unchecked Sendable {
  static let name = "rocksdb"
  static let settings =
    "version as installed (its C interface has no call for it); block cache 1 GiB, no compression, "
    + "writes without sync, pinned gets; otherwise defaults; durable commits by a synced write"

  private let database: OpaquePointer

  init(directory: String) throws {
    let options = rocksdb_options_create()
    rocksdb_options_set_create_if_missing(options, 1)
    let table = rocksdb_block_based_options_create()
    rocksdb_block_based_options_set_block_cache(table, rocksdb_cache_create_lru(1 << 30))
    rocksdb_options_set_block_based_table_factory(options, table)
    rocksdb_options_set_compression(options, Int32(rocksdb_no_compression))
    var failure: UnsafeMutablePointer<CChar>?
    let database = rocksdb_open(options, directory, &failure)
    try checkRocksDB(failure)
    self.database = database!
  }

  func makeSession() -> RocksDBSession { RocksDBSession(database) }
  func settle() throws {
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_flush_wal(database, 0, &failure)
    try checkRocksDB(failure)
  }
  func close() { rocksdb_close(database) }
}

@inline(__always)
private func checkRocksDB(_ failure: UnsafeMutablePointer<CChar>?) throws {
  guard let failure else { return }
  defer { rocksdb_free(failure) }
  throw BenchmarkError("RocksDB: \(String(cString: failure))")
}

/// Pointers that an iterator returns are read before it moves.
struct RocksDBSession: EngineSession {
  private let database: OpaquePointer
  private let reading = rocksdb_readoptions_create()
  private let writing = rocksdb_writeoptions_create()
  private let syncing = rocksdb_writeoptions_create()
  private let value = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Item.valueSize, alignment: 8)

  init(_ database: OpaquePointer) {
    self.database = database
    rocksdb_writeoptions_set_sync(syncing, 1)
  }

  private func put(_ item: Item, _ options: OpaquePointer?) throws {
    var failure: UnsafeMutablePointer<CChar>?
    item.writeValue(to: value)
    item.withKey { key in
      rocksdb_put(
        database, options, key.baseAddress, key.count, value.baseAddress, value.count, &failure)
    }
    try checkRocksDB(failure)
  }

  mutating func put(_ item: Item) throws { try put(item, writing) }
  mutating func putDurably(_ item: Item) throws { try put(item, syncing) }

  mutating func putAll(_ items: [Item]) throws {
    let batch = rocksdb_writebatch_create()
    defer { rocksdb_writebatch_destroy(batch) }
    for item in items {
      item.writeValue(to: value)
      item.withKey { key in
        rocksdb_writebatch_put(batch, key.baseAddress, key.count, value.baseAddress, value.count)
      }
    }
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_write(database, writing, batch, &failure)
    try checkRocksDB(failure)
  }

  mutating func version(of item: Item) throws -> UInt64? {
    var failure: UnsafeMutablePointer<CChar>?
    let found = item.withKey { key in
      rocksdb_get_pinned(database, reading, key.baseAddress, key.count, &failure)
    }
    try checkRocksDB(failure)
    guard let found else { return nil }
    defer { rocksdb_pinnableslice_destroy(found) }
    var size = 0
    let bytes = rocksdb_pinnableslice_value(found, &size)
    return try item.check(UnsafeRawBufferPointer(start: bytes, count: size))
  }

  mutating func remove(_ item: Item) throws {
    var failure: UnsafeMutablePointer<CChar>?
    item.withKey { key in
      rocksdb_delete(database, writing, key.baseAddress, key.count, &failure)
    }
    try checkRocksDB(failure)
  }

  mutating func scan(from start: Item?, limit: Int) throws -> Int {
    let iterator = rocksdb_create_iterator(database, reading)
    defer { rocksdb_iter_destroy(iterator) }
    if let start {
      start.withKey { rocksdb_iter_seek(iterator, $0.baseAddress, $0.count) }
    } else {
      rocksdb_iter_seek_to_first(iterator)
    }
    var check = ScanCheck()
    while check.count < limit, rocksdb_iter_valid(iterator) != 0 {
      var keySize = 0
      var valueSize = 0
      let key = rocksdb_iter_key(iterator, &keySize)
      let value = rocksdb_iter_value(iterator, &valueSize)
      try check.meet(
        key: UnsafeRawBufferPointer(start: key, count: keySize),
        value: UnsafeRawBufferPointer(start: value, count: valueSize))
      rocksdb_iter_next(iterator)
    }
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_iter_get_error(iterator, &failure)
    try checkRocksDB(failure)
    return check.count
  }

  mutating func close() {
    rocksdb_readoptions_destroy(reading)
    rocksdb_writeoptions_destroy(writing)
    rocksdb_writeoptions_destroy(syncing)
    value.deallocate()
  }
}
