public import Platform

/// An ordered key-value database in a directory. Thread-safe; one process at a time.
///
/// Writes are acknowledged when they are in the log's memory, and durable after `flush()`, or at
/// the latest `Configuration.flushInterval` later. After a crash the database holds a prefix of the
/// commits, everything that was flushed among them.
public final class Database: Sendable {
  let core: DatabaseCore
  private let threads: [ThreadID]
  private let identifiers: IdentifierWords

  /// True when the database existed, false when this call created it.
  public let wasRecovered: Bool

  /// Opens the database in `directory`, creating it where `configuration` allows, and recovers
  /// what an earlier process left. Blocks on I/O: reads the redo since the last checkpoint, and the leaves that it touches.
  ///
  /// Throws `.locked` when the directory is open elsewhere, `.notFound`, `.alreadyExists`, `.notADatabase`,
  /// `.unsupportedVersion`, `.configurationMismatch`, `.invalidArgument`, `.corruption` when bytes on disk are
  /// damaged, and what the file system answers. Nothing is overwritten in any of these cases.
  public static func open(
    at directory: String, configuration: Configuration = Configuration(),
    platform: PlatformServices = .real
  ) throws(LugeError) -> Database {
    try configuration.validate()
    var opening = Opening(directory: directory, configuration: configuration, platform: platform)
    let core = try opening.run()
    let threads = try BackgroundWorker.start(core)
    return Database(core: core, threads: threads, wasRecovered: opening.wasRecovered)
  }

  private init(core: DatabaseCore, threads: [ThreadID], wasRecovered: Bool) {
    self.core = core
    self.threads = threads
    identifiers = core.identifiers.words
    self.wasRecovered = wasRecovered
  }

  /// A database that is dropped without `close()` stops its threads and loses what was not flushed.
  deinit {
    if core.isOpen {
      core.abandon()
      for thread in threads { core.platform.threads.unpark(thread) }
    }
  }

  /// The tree without a name; always there.
  public var defaultTree: Tree {
    Tree(name: "", storage: core.catalogue.defaultTree, core: core)
  }

  /// The tree of that name, created where missing; the empty name is the default tree. At most
  /// 1,024 bytes of UTF-8.
  ///
  /// - Parameter compression: how its pages are compressed when they are written from now on, across
  ///   openings too. Nil leaves it as it is; a new tree is compressed as `Configuration.compression`
  ///   says. The default tree always follows the configuration: `.invalidArgument` for anything else.
  public func tree(
    named name: String, compression: Compression? = nil
  ) throws(LugeError) -> Tree {
    try core.checkOpen()
    try compression?.validate()
    if name.isEmpty, let compression, compression != core.configuration.compression {
      throw LugeError(
        .invalidArgument, "the default tree is compressed as the configuration says",
        expected: "\(core.configuration.compression)", found: "\(compression)")
    }
    return Tree(
      name: name, storage: try core.catalogue.tree(named: name, compression: compression),
      core: core)
  }

  /// Removes a tree and all it holds; false when there is none. Handles to it throw `.treeNotFound`
  /// from then on. Throws `.invalidArgument` for the default tree. Waits for operations on trees that
  /// are under way, and for a checkpoint.
  @discardableResult
  public func dropTree(named name: String) throws(LugeError) -> Bool {
    try core.checkOpen()
    return try core.dropTree(named: name)
  }

  /// The names of all trees in ascending order; the default tree's, the empty one, comes first. O(trees).
  public func treeNames() throws(LugeError) -> [String] {
    try core.checkOpen()
    return try core.catalogue.names()
  }

  /// Applies all writes of a batch at once: all or nothing to readers and to a crash. O(n log n). Waits at
  /// most 10 ms for each older batch that writes the same keys, and as writes of one key do; large values, and what is too large
  /// for the log's buffer, are written to their files first. Throws `.tooLarge` above `Configuration.largestBatch`,
  /// `.invalidArgument` for a tree of another database, and as `Tree` says; then nothing was written.
  public func apply(_ batch: WriteBatch) throws(LugeError) {
    try core.checkOpen()
    try core.apply(batch)
  }

  /// Returns when everything acknowledged before the call is on stable storage. Blocks on I/O; calls at the same time share
  /// one. Throws `.noSpace` where the disk is full, and may then be called again.
  /// After a failed sync it throws `.failed`, now and for good: reopen the database.
  public func flush() throws(LugeError) {
    try core.checkOpen()
    try core.log.flush()
  }

  /// Writes what changed since the last checkpoint, so that recovery need not replay it, and gives
  /// back the log before it. Blocks on I/O, and on another checkpoint; readers and writers go on. Where it throws, the
  /// last checkpoint stays and nothing is lost.
  public func checkpoint() throws(LugeError) {
    try core.checkOpen()
    try core.checkpointer.run()
  }

  /// An id larger than any that was returned before the call began, across crashes too. Gaps are
  /// possible. One atomic addition; they are reserved on disk ahead, `Configuration.identifierReservation` and
  /// more at a time, and a caller flushes only where that does not keep up.
  public func nextID() throws(LugeError) -> UInt64 {
    // Nothing more: two threads take turns at one line, and have it no longer than they need.
    if core.isOpen, let id = identifiers.take() { return id }
    return try nextIDSlowly()
  }

  @inline(never)
  private func nextIDSlowly() throws(LugeError) -> UInt64 {
    try core.checkOpen()
    return try core.identifiers.nextID()
  }

  /// With `BackgroundWork.manual`: does what the database's threads would do now.
  public func performBackgroundWork() throws(LugeError) {
    try core.checkOpen()
    try core.identifiers.reserveAhead()
    try core.log.flush()
    try core.performCheckpointWork()
    try core.performCleaningWork()
  }

  /// Flushes, checkpoints, stops the database's threads, releases memory and the directory's lock.
  /// Operations afterwards, on the database and its trees, throw `.closed`. When it throws, what it
  /// could not write is in the log as far as it was flushed; resources are released all the same.
  public func close() throws(LugeError) {
    try core.close(joining: threads)
  }

  /// Takes a page out of memory, whatever the budget, if one is not in use. For tests of what meets an eviction.
  package func evictPage() throws(LugeError) {
    try core.checkOpen()
    _ = try core.context.evictOne(keeping: 0)
  }

  /// Moves what is live out of one page segment, if one is worth it. For tests of what meets the cleaner.
  package func cleanSegment() throws(LugeError) {
    try core.checkOpen()
    _ = try core.cleaner.cleanOne()
    _ = try core.valueCleaner.cleanOne()
  }
}
