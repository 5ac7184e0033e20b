public import Platform

/// An ordered key-value engine, as the harness sees it. Keys and values are byte strings; keys are
/// ordered as unsigned bytes, lexicographically; empty keys and values are legal.
///
/// Calls are synchronous and may come from several threads when the engine has the capability
/// `.concurrentClients`. Optional operations have defaults that throw `.unsupported`.
public protocol KeyValueEngine: AnyObject, Sendable {
  func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes?

  /// Sets a value; returns the former one.
  func insert(_ value: Bytes, for key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes?

  /// Removes a key; returns its former value.
  func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes?

  /// Sets the value to `desired` (nil removes) when it is `expected` (nil: absent). Returns whether
  /// it did, and what was found.
  func compareExchange(
    _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
  ) throws(EngineError) -> (exchanged: Bool, original: Bytes?)

  /// The entries of a range, in the direction's order, at most `limit` of them.
  func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry]

  func contains(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bool

  /// Sets the value to what `change` makes of the present one; nil for none, before and after. `change` may
  /// be called again where others come between.
  func update(
    _ key: Bytes, in tree: TreeName, _ change: (Bytes?) -> Bytes?
  ) throws(EngineError) -> (old: Bytes?, new: Bytes?)

  /// The entry with the least key of a range.
  func first(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry?

  /// The entry with the greatest key of a range.
  func last(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry?

  /// The entry with the greatest key below `key`.
  func entry(before key: Bytes, in tree: TreeName) throws(EngineError) -> Entry?

  /// The entry with the least key above `key`.
  func entry(after key: Bytes, in tree: TreeName) throws(EngineError) -> Entry?

  /// Takes out the entry with the least key of a range. No two callers get the same entry.
  func popFirst(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry?

  /// Takes out the entry with the greatest key of a range. No two callers get the same entry.
  func popLast(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Entry?

  /// Removes all entries of a range, not necessarily at once; answers how many.
  func removeAll(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> Int

  /// Sets many values, a later one for a key in place of an earlier one, not necessarily at once.
  func load(_ entries: [Entry], into tree: TreeName) throws(EngineError)

  /// Equal for equal contents of a range, and most likely different for different ones.
  func checksum(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> UInt64

  /// All trees as they are now.
  func snapshot() throws(EngineError) -> any EngineSnapshot

  /// A cursor before the first and after the last entry of a range. One of an engine with `.snapshotScans`
  /// shows the state at one moment of this call, however late it is read.
  func cursor(_ range: KeyRange, in tree: TreeName) throws(EngineError) -> any EngineCursor

  /// What a scan without a limit answers, by the engine's asynchronous sequence.
  func stream(
    _ range: KeyRange, _ direction: Direction, in tree: TreeName
  ) async throws(EngineError) -> [Entry]

  /// All or nothing. A later write for a key replaces an earlier one.
  func apply(_ batch: [BatchWrite]) throws(EngineError)

  /// Everything acknowledged before the call is durable when it returns.
  func flush() throws(EngineError)

  func checkpoint() throws(EngineError)

  /// Larger than any id returned before the call began, across crashes too.
  func nextID() throws(EngineError) -> UInt64

  /// Number of entries. Exact where no write is under way; beside writes that are, each key that
  /// they write may be counted one too many or too few.
  func count(in tree: TreeName) throws(EngineError) -> Int

  /// False when there was no such tree.
  func dropTree(_ tree: TreeName) throws(EngineError) -> Bool

  /// The names of all trees, the default one included where it exists.
  func treeNames() throws(EngineError) -> [TreeName]

  /// Violations of the engine's own structural invariants; empty when all hold. Takes no lock that
  /// a client could hold; called when no client operation is under way.
  func checkInvariants() throws(EngineError) -> [String]

  /// One step of background work, where the engine was opened with manual background work.
  func performBackgroundWork() throws(EngineError)

  /// Takes a page, or whatever the engine keeps, out of memory; does nothing where there is none to spare.
  func evict() throws(EngineError)

  /// Moves what is live out of one piece of storage that is mostly dead; does nothing where there is none.
  func clean() throws(EngineError)

  /// Makes everything durable and releases all resources. Use afterwards throws `.closed`.
  func close() throws(EngineError)
}

extension KeyValueEngine {
  public func compareExchange(
    _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
  ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
    throw EngineError(.unsupported, "compareExchange", isRefused: true)
  }
  public func apply(_ batch: [BatchWrite]) throws(EngineError) {
    throw EngineError(.unsupported, "apply", isRefused: true)
  }
  public func checkpoint() throws(EngineError) {
    throw EngineError(.unsupported, "checkpoint", isRefused: true)
  }
  public func nextID() throws(EngineError) -> UInt64 {
    throw EngineError(.unsupported, "nextID", isRefused: true)
  }
  public func count(in tree: TreeName) throws(EngineError) -> Int {
    try scan(.all, .forward, limit: .max, in: tree).count
  }
  public func dropTree(_ tree: TreeName) throws(EngineError) -> Bool {
    throw EngineError(.unsupported, "dropTree", isRefused: true)
  }
  public func treeNames() throws(EngineError) -> [TreeName] { [.default] }
  public func checkInvariants() throws(EngineError) -> [String] { [] }
  public func performBackgroundWork() throws(EngineError) {}
  public func evict() throws(EngineError) {}
  public func clean() throws(EngineError) {}
}

/// All trees of an engine as they were at one moment.
public protocol EngineSnapshot: AnyObject, Sendable {
  func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes?
  func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry]
}

/// Walks a range as it was at one moment from both ends, until the two have met. For one thread at a
/// time; it lets go of what it holds when it is let go of.
public protocol EngineCursor: AnyObject {
  /// The first entry not met yet; nil when all are.
  func next() throws(EngineError) -> Entry?
  /// The last entry not met yet; nil when all are.
  func previous() throws(EngineError) -> Entry?
}

/// How to make one kind of engine, and what to expect of it.
public protocol EngineFactory: Sendable {
  /// As given to `simulate run --engine`.
  var name: String { get }
  var capabilities: EngineCapabilities { get }
  var faultContract: FaultContract { get }
  /// Every fault point that the engine names. Each must fire in a campaign.
  var faultPoints: [String] { get }
  /// Every probe that the engine names. Each must be reached in a campaign.
  var probes: [String] { get }

  /// Rules on the order of what is written in `directory`, for a new database there. None unless said.
  func storageRules(for directory: String) -> [any StorageRule]

  /// Bytes on disk, beside a tenth more than a new database takes, that one may keep after everything was
  /// removed and the engine was given the time to settle; nil: there is no such promise. Nil unless said.
  func spaceKept(_ settings: EngineSettings) -> Int?

  /// The most bytes of the keys and values of a batch, with 64 for each write; nil: any batch is taken. Nil
  /// unless said.
  func largestBatch(_ settings: EngineSettings) -> Int?

  /// What lies where in the files of a database that is not open; nil where the engine cannot tell. Nil unless said.
  func storageRegions(
    of directory: String, on platform: PlatformServices
  ) throws(EngineError) -> [StorageRegion]?

  /// Every kind that a region may be of.
  var storageKinds: [String] { get }

  /// Opens the database in `directory`, creating it or recovering it.
  func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine

  /// Makes a mistake in opening. Nil: of this engine nobody can make it. Nil unless said.
  func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings,
    by mistake: OpeningMistake
  ) throws(EngineError) -> (any KeyValueEngine)?
}

extension EngineFactory {
  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings,
    by mistake: OpeningMistake
  ) throws(EngineError) -> (any KeyValueEngine)? { nil }
  public func storageRegions(
    of directory: String, on platform: PlatformServices
  ) throws(EngineError) -> [StorageRegion]? { nil }
  public var storageKinds: [String] { [] }
  public func storageRules(for directory: String) -> [any StorageRule] { [] }
  public func spaceKept(_ settings: EngineSettings) -> Int? { nil }
  public func largestBatch(_ settings: EngineSettings) -> Int? { nil }
}

/// What a harness may vary about an engine. An engine takes what it has and ignores the rest.
public struct EngineSettings: Equatable, Sendable {
  /// Flush, checkpoint and the like happen by themselves (`true`), or only in calls
  /// of `flush`, `checkpoint` and `performBackgroundWork`.
  public var automaticBackgroundWork: Bool
  /// Bytes of one log segment; engines round it to what they can.
  public var segmentSize: Int
  /// Bytes of one segment of pages, where the engine keeps pages apart from its log; nil: it chooses.
  public var pageSegmentSize: Int?
  /// Bytes that a page should have on disk.
  public var pageSize: Int
  /// Nanoseconds between flushes in the background; nil for none.
  public var flushInterval: UInt64?
  /// Bytes of log after which a checkpoint is due.
  public var checkpointInterval: Int
  /// Bytes of memory that the engine may use for data.
  public var memoryBudget: Int
  /// What is done to make data smaller, where the engine can; nil: it chooses.
  public var compression: DataCompression?

  public init(
    automaticBackgroundWork: Bool = true, segmentSize: Int = 1 << 20,
    pageSegmentSize: Int? = nil, pageSize: Int = 4096,
    flushInterval: UInt64? = 500_000_000, checkpointInterval: Int = 64 << 20,
    memoryBudget: Int = 256 << 20, compression: DataCompression? = nil
  ) {
    self.automaticBackgroundWork = automaticBackgroundWork
    self.segmentSize = segmentSize
    self.pageSegmentSize = pageSegmentSize
    self.pageSize = pageSize
    self.flushInterval = flushInterval
    self.checkpointInterval = checkpointInterval
    self.memoryBudget = memoryBudget
    self.compression = compression
  }
}

/// How much is done to make data smaller.
public enum DataCompression: String, Sendable, CaseIterable { case none, fast, strong }
