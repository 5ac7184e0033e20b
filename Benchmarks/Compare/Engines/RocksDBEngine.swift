import CRocksDB

/// RocksDB by its C interface. The database is safe to use from several threads.
struct RocksDBEngine: Engine, @unchecked Sendable {
  static let name = "rocksdb"
  static let abilities: Set<Ability> = [.compression, .budget]
  static let settings =
    "version as installed (its C interface has no call for it); block cache 1 GiB, no compression, "
    + "writes without sync, pinned gets; otherwise defaults; durable commits by a synced write; with a "
    + "cache below 256 MiB everything in it: write buffers a quarter of it in all (two of an eighth), block "
    + "cache three quarters with index and filter blocks, at most 256 open files, files synced each "
    + "MiB, two arenas of the C library"

  private let database: OpaquePointer

  init(directory: String, options: EngineOptions) throws {
    let settings = rocksdb_options_create()
    rocksdb_options_set_create_if_missing(settings, 1)
    let table = rocksdb_block_based_options_create()
    let isSmall = options.cacheBytes < 256 << 20
    let cacheBytes = isSmall ? options.cacheBytes / 4 * 3 : options.cacheBytes
    rocksdb_block_based_options_set_block_cache(table, rocksdb_cache_create_lru(cacheBytes))
    // Heeded only before the factory is made.
    if isSmall { rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1) }
    rocksdb_options_set_block_based_table_factory(settings, table)
    let compression = options.isCompressed ? rocksdb_zstd_compression : rocksdb_no_compression
    rocksdb_options_set_compression(settings, Int32(compression))
    if isSmall {
      // Write buffers, indexes and filters are memory too. With its defaults it has those beside the cache,
      // and is killed for it in a memory group of twice the cache.
      rocksdb_options_set_write_buffer_size(settings, options.cacheBytes / 8)
      rocksdb_options_set_db_write_buffer_size(settings, options.cacheBytes / 4)
      rocksdb_options_set_max_open_files(settings, 256)
      rocksdb_options_set_bytes_per_sync(settings, 1 << 20)
      rocksdb_options_set_wal_bytes_per_sync(settings, 1 << 20)
    }
    var failure: UnsafeMutablePointer<CChar>?
    let database = rocksdb_open(settings, directory, &failure)
    try checkRocksDB(failure)
    self.database = database!
  }

  func makeSession() -> RocksDBSession { RocksDBSession(database) }
  func settle() throws {
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_flush_wal(database, 0, &failure)
    try checkRocksDB(failure)
  }
  func checkpoint() throws {
    var failure: UnsafeMutablePointer<CChar>?
    let options = rocksdb_flushoptions_create()
    defer { rocksdb_flushoptions_destroy(options) }
    rocksdb_flushoptions_set_wait(options, 1)
    rocksdb_flush(database, options, &failure)
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

  init(_ database: OpaquePointer) {
    self.database = database
    rocksdb_writeoptions_set_sync(syncing, 1)
  }

  private func put(_ key: Bytes, _ value: Bytes, _ options: OpaquePointer?) throws {
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_put(
      database, options, key.baseAddress, key.count, value.baseAddress, value.count, &failure)
    try checkRocksDB(failure)
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws { try put(key, value, writing) }
  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws { try put(key, value, syncing) }

  mutating func putAll(_ entries: EntryList) throws {
    let batch = rocksdb_writebatch_create()
    defer { rocksdb_writebatch_destroy(batch) }
    for index in 0..<entries.count {
      let (key, value) = (entries.key(index), entries.value(index))
      rocksdb_writebatch_put(batch, key.baseAddress, key.count, value.baseAddress, value.count)
    }
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_write(database, writing, batch, &failure)
    try checkRocksDB(failure)
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    var failure: UnsafeMutablePointer<CChar>?
    let found = rocksdb_get_pinned(database, reading, key.baseAddress, key.count, &failure)
    try checkRocksDB(failure)
    guard let found else { return nil }
    defer { rocksdb_pinnableslice_destroy(found) }
    var size = 0
    let bytes = rocksdb_pinnableslice_value(found, &size)
    return try body(Bytes(start: bytes, count: size))
  }

  mutating func remove(_ key: Bytes) throws {
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_delete(database, writing, key.baseAddress, key.count, &failure)
    try checkRocksDB(failure)
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    let iterator = rocksdb_create_iterator(database, reading)
    defer { rocksdb_iter_destroy(iterator) }
    if let start {
      rocksdb_iter_seek(iterator, start.baseAddress, start.count)
    } else {
      rocksdb_iter_seek_to_first(iterator)
    }
    while rocksdb_iter_valid(iterator) != 0 {
      var keySize = 0
      var valueSize = 0
      let key = rocksdb_iter_key(iterator, &keySize)
      let value = rocksdb_iter_value(iterator, &valueSize)
      guard try body(Bytes(start: key, count: keySize), Bytes(start: value, count: valueSize))
      else {
        return
      }
      rocksdb_iter_next(iterator)
    }
    var failure: UnsafeMutablePointer<CChar>?
    rocksdb_iter_get_error(iterator, &failure)
    try checkRocksDB(failure)
  }

  mutating func close() {
    rocksdb_readoptions_destroy(reading)
    rocksdb_writeoptions_destroy(writing)
    rocksdb_writeoptions_destroy(syncing)
  }
}
