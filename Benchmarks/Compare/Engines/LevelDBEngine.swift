import CLevelDB

/// LevelDB by its C interface. The database is safe to use from several threads.
struct LevelDBEngine: Engine, @unchecked Sendable {
  static let name = "leveldb"
  static var settings: String {
    "\(leveldb_major_version()).\(leveldb_minor_version()); cache 1 GiB, no compression, writes "
      + "without sync; otherwise defaults (write buffer 4 MiB); durable commits by a synced write"
  }

  private let database: OpaquePointer

  init(directory: String, options: EngineOptions) throws {
    let settings = leveldb_options_create()
    leveldb_options_set_create_if_missing(settings, 1)
    leveldb_options_set_cache(settings, leveldb_cache_create_lru(options.cacheBytes))
    leveldb_options_set_compression(settings, Int32(leveldb_no_compression))
    var failure: UnsafeMutablePointer<CChar>?
    let database = leveldb_open(settings, directory, &failure)
    try checkLevelDB(failure)
    self.database = database!
  }

  func makeSession() -> LevelDBSession { LevelDBSession(database) }
  /// LevelDB has no call that writes out what is buffered; its compaction goes on by itself.
  func settle() {}
  func close() { leveldb_close(database) }
}

@inline(__always)
private func checkLevelDB(_ failure: UnsafeMutablePointer<CChar>?) throws {
  guard let failure else { return }
  defer { leveldb_free(failure) }
  throw BenchmarkError("LevelDB: \(String(cString: failure))")
}

/// Pointers that an iterator returns are read before it moves.
struct LevelDBSession: EngineSession {
  private let database: OpaquePointer
  private let reading = leveldb_readoptions_create()
  private let writing = leveldb_writeoptions_create()
  private let syncing = leveldb_writeoptions_create()

  init(_ database: OpaquePointer) {
    self.database = database
    leveldb_writeoptions_set_sync(syncing, 1)
  }

  private func put(_ key: Bytes, _ value: Bytes, _ options: OpaquePointer?) throws {
    var failure: UnsafeMutablePointer<CChar>?
    leveldb_put(
      database, options, key.baseAddress, key.count, value.baseAddress, value.count, &failure)
    try checkLevelDB(failure)
  }

  mutating func put(_ key: Bytes, _ value: Bytes) throws { try put(key, value, writing) }
  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws { try put(key, value, syncing) }

  mutating func putAll(_ entries: EntryList) throws {
    let batch = leveldb_writebatch_create()
    defer { leveldb_writebatch_destroy(batch) }
    for index in 0..<entries.count {
      let (key, value) = (entries.key(index), entries.value(index))
      leveldb_writebatch_put(batch, key.baseAddress, key.count, value.baseAddress, value.count)
    }
    var failure: UnsafeMutablePointer<CChar>?
    leveldb_write(database, writing, batch, &failure)
    try checkLevelDB(failure)
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    var failure: UnsafeMutablePointer<CChar>?
    var size = 0
    let found = leveldb_get(database, reading, key.baseAddress, key.count, &size, &failure)
    try checkLevelDB(failure)
    guard let found else { return nil }
    defer { leveldb_free(found) }
    return try body(Bytes(start: found, count: size))
  }

  mutating func remove(_ key: Bytes) throws {
    var failure: UnsafeMutablePointer<CChar>?
    leveldb_delete(database, writing, key.baseAddress, key.count, &failure)
    try checkLevelDB(failure)
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    let iterator = leveldb_create_iterator(database, reading)
    defer { leveldb_iter_destroy(iterator) }
    if let start {
      leveldb_iter_seek(iterator, start.baseAddress, start.count)
    } else {
      leveldb_iter_seek_to_first(iterator)
    }
    while leveldb_iter_valid(iterator) != 0 {
      var keySize = 0
      var valueSize = 0
      let key = leveldb_iter_key(iterator, &keySize)
      let value = leveldb_iter_value(iterator, &valueSize)
      guard try body(Bytes(start: key, count: keySize), Bytes(start: value, count: valueSize))
      else {
        return
      }
      leveldb_iter_next(iterator)
    }
    var failure: UnsafeMutablePointer<CChar>?
    leveldb_iter_get_error(iterator, &failure)
    try checkLevelDB(failure)
  }

  mutating func close() {
    leveldb_readoptions_destroy(reading)
    leveldb_writeoptions_destroy(writing)
    leveldb_writeoptions_destroy(syncing)
  }
}
