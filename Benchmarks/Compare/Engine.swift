/// Bytes that somebody else owns, valid during the call that hands them over.
typealias Bytes = UnsafeRawBufferPointer

/// An engine in the comparison. Its sessions are called directly, through generics that are
/// specialised in this module, so that no dispatch is timed.
protocol Engine: Sendable {
  associatedtype Session: EngineSession
  static var name: String { get }
  /// The version of the library and every setting that is not its default.
  static var settings: String { get }
  /// How many writes share a transaction in load_seq.
  static var loadTransaction: Int { get }
  static var abilities: Set<Ability> { get }

  /// Opens the database in a directory that exists; creates it where the directory is empty.
  init(directory: String, options: EngineOptions) throws
  /// What one thread needs; called on that thread.
  func makeSession() throws -> Session
  /// Writes out what is still buffered; not timed, between workloads.
  func settle() throws
  /// Makes everything durable and, where the engine has such a call, folds its log into its tables.
  func checkpoint() throws
  func close() throws
}

extension Engine {
  static var loadTransaction: Int { 1000 }
  static var abilities: Set<Ability> { [] }
  func checkpoint() throws { try settle() }
}

/// What not every engine can do.
enum Ability: String, Codable, Sendable {
  /// `nextID` of the sessions works.
  case identifiers
  /// `EngineOptions.cacheBytes` bounds the memory it takes.
  case budget
  /// `EngineOptions.isCompressed` is heeded.
  case compression
}

/// How an engine is opened. Everything else is its default, or said in its `settings`.
struct EngineOptions: Codable, Equatable, Sendable {
  /// The cache, in bytes; 1 GiB unless a workload is about less memory.
  var cacheBytes = 1 << 30
  /// The most bytes of data that will be put in, for engines that map a file of fixed size.
  var mapBytes = 4 << 30
  /// zstd at its default level.
  var isCompressed = false
  /// Whether the commits by `putDurably` will be the only ones.
  var isDurable = false
}

/// One thread's access to an engine.
protocol EngineSession {
  /// A commit of its own, not synced.
  mutating func put(_ key: Bytes, _ value: Bytes) throws
  /// A commit of its own that is on stable storage when the call returns.
  mutating func putDurably(_ key: Bytes, _ value: Bytes) throws
  /// One atomic commit, not synced.
  mutating func putAll(_ entries: EntryList) throws
  /// Hands over the value; nil when the key is absent.
  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R?
  /// A commit of its own, not synced. Throws where the key is absent and the engine tells so.
  mutating func remove(_ key: Bytes) throws
  /// Meets entries in order, from the key or from the first, until the body answers false.
  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws
  mutating func nextID() throws -> UInt64
  mutating func close() throws
}

extension EngineSession {
  mutating func nextID() throws -> UInt64 { throw BenchmarkError("no identifiers here") }
}

/// Entries of one batch, end to end in one buffer that is reused.
struct EntryList {
  private let keySize: Int
  private let valueSize: Int
  private let capacity: Int
  private let bytes: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ shape: Shape, capacity: Int) {
    keySize = shape.keySize
    valueSize = shape.valueSize
    self.capacity = capacity
    bytes = .allocate(byteCount: (keySize + valueSize) * capacity, alignment: 8)
  }

  var isFull: Bool { count == capacity }
  mutating func removeAll() { count = 0 }

  mutating func append(_ item: Item) {
    let place = count * (keySize + valueSize)
    item.writeKey(to: slice(place, keySize))
    item.writeValue(to: slice(place + keySize, valueSize))
    count += 1
  }

  private func slice(_ start: Int, _ length: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + length])
  }

  @inline(__always)
  func key(_ index: Int) -> Bytes { Bytes(slice(index * (keySize + valueSize), keySize)) }

  @inline(__always)
  func value(_ index: Int) -> Bytes {
    Bytes(slice(index * (keySize + valueSize) + keySize, valueSize))
  }

  func deallocate() { bytes.deallocate() }
}

/// Why a comparison cannot go on.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
