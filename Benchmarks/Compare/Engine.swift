/// An engine in the comparison. Its sessions are called directly, through generics that are
/// specialised in this module, so that no dispatch is timed.
protocol Engine: Sendable {
  associatedtype Session: EngineSession
  static var name: String { get }
  /// The version of the library and every setting that is not its default.
  static var settings: String { get }
  /// How many writes share a transaction in load_seq.
  static var loadTransaction: Int { get }

  /// Opens a new database in a directory that exists and is empty.
  init(directory: String) throws
  /// What one thread needs; called on that thread.
  func makeSession() throws -> Session
  /// Whether `nextID` of the sessions works.
  static var makesIdentifiers: Bool { get }
  /// Called before a step while there is no session: whether its commits will be durable ones.
  func prepare(durable: Bool) throws
  /// Writes out what is still buffered; not timed, between workloads.
  func settle() throws
  func close() throws
}

extension Engine {
  static var loadTransaction: Int { 1000 }
  static var makesIdentifiers: Bool { false }
  func prepare(durable: Bool) {}
}

/// One thread's access to an engine.
protocol EngineSession {
  /// A commit of its own, not synced.
  mutating func put(_ item: Item) throws
  /// A commit of its own that is on stable storage when the call returns.
  mutating func putDurably(_ item: Item) throws
  /// One atomic commit, not synced.
  mutating func putAll(_ items: [Item]) throws
  /// The version of the value, which was checked; nil when the key is absent.
  mutating func version(of item: Item) throws -> UInt64?
  /// A commit of its own, not synced.
  mutating func remove(_ item: Item) throws
  /// Meets up to `limit` entries in order, from the item's key or from the first; returns how many.
  mutating func scan(from start: Item?, limit: Int) throws -> Int
  mutating func nextID() throws -> UInt64
  mutating func close() throws
}

extension EngineSession {
  mutating func nextID() throws -> UInt64 { throw BenchmarkError("no identifiers here") }
}
