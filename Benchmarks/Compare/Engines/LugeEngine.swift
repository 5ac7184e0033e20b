import Luge

/// Luge by its public interface: keys and values are arrays, and updates return the former value.
struct LugeEngine: Engine {
  static let name = "luge"
  static let settings = "defaults: all data in memory, redo flushed every 500 ms; no compression"
  static let loadTransaction = 1
  static let makesIdentifiers = true

  private let database: Database

  init(directory: String) throws { database = try Database.open(at: directory) }

  func makeSession() -> LugeSession { LugeSession(database) }
  func settle() throws { try database.flush() }
  func close() throws { try database.close() }
}

/// The arrays are reused: they are uniquely held between calls, so filling them copies nothing.
struct LugeSession: EngineSession {
  private let database: Database
  private let tree: Tree
  private var key = [UInt8](repeating: 0, count: Item.keySize)
  private var value = [UInt8](repeating: 0, count: Item.valueSize)

  init(_ database: Database) {
    self.database = database
    tree = database.defaultTree
  }

  @inline(__always)
  private mutating func setKey(_ item: Item) {
    key.withUnsafeMutableBytes { item.writeKey(to: $0) }
  }

  mutating func put(_ item: Item) throws {
    setKey(item)
    value.withUnsafeMutableBytes { item.writeValue(to: $0) }
    try tree.updateValue(value, forKey: key)
  }

  mutating func putDurably(_ item: Item) throws {
    try put(item)
    try database.flush()
  }

  mutating func putAll(_ items: [Item]) throws {
    var batch = WriteBatch()
    for item in items {
      let key = [UInt8](unsafeUninitializedCapacity: Item.keySize) { bytes, count in
        item.writeKey(to: UnsafeMutableRawBufferPointer(bytes))
        count = Item.keySize
      }
      let value = [UInt8](unsafeUninitializedCapacity: Item.valueSize) { bytes, count in
        item.writeValue(to: UnsafeMutableRawBufferPointer(bytes))
        count = Item.valueSize
      }
      batch.updateValue(value, forKey: key, in: tree)
    }
    try database.apply(batch)
  }

  mutating func version(of item: Item) throws -> UInt64? {
    setKey(item)
    guard let found = try tree.value(forKey: key) else { return nil }
    return try found.withUnsafeBytes { try item.check($0) }
  }

  mutating func remove(_ item: Item) throws {
    setKey(item)
    guard try tree.removeValue(forKey: key) != nil else {
      throw BenchmarkError("an entry to remove was missing")
    }
  }

  mutating func scan(from start: Item?, limit: Int) throws -> Int {
    var cursor: Cursor
    if let start {
      setKey(start)
      cursor = tree.cursor(in: .from(key))
    } else {
      cursor = tree.cursor()
    }
    var check = ScanCheck()
    while check.count < limit, try cursor.moveNext() {
      try cursor.key.withUnsafeBytes { key in
        try cursor.value.withUnsafeBytes { try check.meet(key: key, value: $0) }
      }
    }
    return check.count
  }

  mutating func nextID() throws -> UInt64 { try database.nextID() }
  mutating func close() {}
}
