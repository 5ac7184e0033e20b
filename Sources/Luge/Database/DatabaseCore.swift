import Platform

/// What a database consists of while it is open. `Database` and its threads share it.
///
/// Invariants:
/// 1. `state` goes open -> closing -> closed and never back.
/// 2. Locks are taken in the order: checkpoint, cleaner, value cleaner, catalogue, flush.
/// 3. The memory of trees is freed only when every tree is closed and no operation is pinned.
final class DatabaseCore: @unchecked Sendable {
  let platform: PlatformServices
  let directory: String
  let configuration: Configuration
  let context: TreeContext
  let log: RedoLog
  let pages: PageStore
  private let superblocks: SuperblockStore
  let catalogue: Catalogue
  let identifiers: IdentifierSequence
  let checkpointer: Checkpointer
  let cleaner: Cleaner
  /// Of the value segments.
  let valueCleaner: Cleaner
  /// The tail of the log when the cleaner last looked.
  private let tailLastSeen = AtomicWord(0)
  private let directoryLock: any FileLock
  private let state = AtomicWord(State.open)
  private let destroyed = AtomicWord(0)
  /// The most bytes of a redo piece of one key: what a key may take there.
  let maximumCommit: Int
  /// The most bytes of a value, and of a batch.
  private let largestValue: Int
  private let largestBatch: Int

  private enum State {
    static let open: UInt64 = 0
    static let closing: UInt64 = 1
    static let closed: UInt64 = 2
  }

  init(
    platform: PlatformServices, directory: String, configuration: Configuration,
    context: TreeContext, log: RedoLog, pages: PageStore,
    superblocks: SuperblockStore, catalogue: Catalogue,
    identifiers: IdentifierSequence, checkpointer: Checkpointer, cleaner: Cleaner,
    valueCleaner: Cleaner, directoryLock: any FileLock, maximumPiece: Int
  ) {
    self.platform = platform
    self.directory = directory
    self.configuration = configuration
    self.context = context
    self.log = log
    self.pages = pages
    self.superblocks = superblocks
    self.catalogue = catalogue
    self.identifiers = identifiers
    self.checkpointer = checkpointer
    self.cleaner = cleaner
    self.valueCleaner = valueCleaner
    self.directoryLock = directoryLock
    maximumCommit = maximumPiece
    largestValue = configuration.largestValue
    largestBatch = configuration.largestBatch
  }

  deinit {
    destroy()
    directoryLock.release()
  }

  var isOpen: Bool { state.load() == State.open }

  @inline(__always)
  func checkOpen() throws(LugeError) {
    if !isOpen { throw DatabaseCore.closedError() }
  }

  @inline(never)
  private static func closedError() -> LugeError {
    LugeError(.closed, "the database is closed")
  }

  /// Limits of what one write may be.
  @inline(__always)
  func check(keyCount: Int, valueCount: Int) throws(LugeError) {
    // What goes into the redo piece: a value above that lies apart.
    let inPiece = min(valueCount, context.settings.largeValue)
    if keyCount > Tree.maximumKeyLength || valueCount > largestValue
      || inPiece > maximumCommit - keyCount - 64
    {
      throw limitError(keyCount, valueCount)
    }
  }

  @inline(never)
  private func limitError(_ keyCount: Int, _ valueCount: Int) -> LugeError {
    if keyCount > Tree.maximumKeyLength {
      return LugeError(
        .tooLarge, "a key has at most \(Tree.maximumKeyLength) bytes, found \(keyCount)")
    }
    if valueCount > largestValue {
      return LugeError(
        .tooLarge, "a value has at most 64 MiB, and a quarter of the memory budget",
        expected: "at most \(largestValue) bytes", found: "\(valueCount)")
    }
    return LugeError(
      .tooLarge,
      "a key and the beginning of its log record must fit into \(maximumCommit) bytes, found a key "
        + "of \(keyCount) and a value of \(valueCount)")
  }

  /// Applies a batch; see `Database.apply`.
  func apply(_ batch: WriteBatch) throws(LugeError) {
    if batch.isEmpty { return }
    for tree in batch.trees where tree.core !== self {
      throw LugeError(.invalidArgument, "the tree \"\(tree.name)\" is another database's")
    }
    if batch.buffer.byteCount > largestBatch {
      throw LugeError(
        .tooLarge, "a batch has at most 1 GiB, and a quarter of the memory budget",
        expected: "at most \(largestBatch) bytes", found: "\(batch.buffer.byteCount)")
    }
    // Keys are checked one by one, and need not fit into a piece: the payload may lie apart.
    try check(keyCount: 0, valueCount: batch.buffer.longestValue)
    var commit = try BatchCommit(
      context, trees: batch.trees.map { tree in tree.storage }, batch.buffer)
    _ = try commit.commit()
  }

  /// A checkpoint is due: enough redo was written since the last one began.
  var checkpointIsDue: Bool {
    log.tail &- checkpointer.durableRecoveryLSN.load() > UInt64(configuration.checkpointBytes)
  }

  /// What the checkpoint thread does each time it wakes. Answers whether there was anything to do.
  @discardableResult
  func performCheckpointWork() throws(LugeError) -> Bool {
    var didSomething = false
    do throws(LugeError) { didSomething = try log.prepareSpare(wanted: isRedoLong ? 2 : 1) } catch {
      // A checkpoint gives back the space that is lacking.
      if error.code != .noSpace || !checkpointIsDue { throw error }
    }
    if !checkpointIsDue { return didSomething }
    try checkpointer.run()
    return true
  }

  /// What the cleaning thread does each time it wakes: empties segments until enough is live, and has
  /// a checkpoint made where much waits for one. When nothing else happens, anything that waits will do:
  /// a segment, or redo that recovery would have to replay. Answers whether there was anything to do.
  @discardableResult
  func performCleaningWork() throws(LugeError) -> Bool {
    var isEmptied = true
    var didSomething = false
    // Writers may free space as fast as it is given back: then it is for the next time.
    var checkpoints = 0
    var rounds = 0
    while isEmptied && checkpoints < 4 && rounds < 64 {
      rounds += 1
      try checkOpen()
      try context.drainReleased()
      isEmptied = try cleaner.cleanOne()
      if try valueCleaner.cleanOne() { isEmptied = true }
      if isEmptied { didSomething = true }
      let seen = log.tail
      let isQuiet = tailLastSeen.exchange(seen) == seen && !isEmptied
      let isDue = try isReclaimDue()
      if !isDue, !isQuiet { continue }
      if !isDue, try !hasWorkForCheckpoint() {
        if try log.giveBackSpares(keeping: 1) { didSomething = true }
        continue
      }
      try checkpointer.run()
      didSomething = true
      checkpoints += 1
      if isQuiet { try log.giveBackSpares(keeping: 1) }
      tailLastSeen.store(log.tail)
      isEmptied = isDue
    }
    return didSomething
  }

  /// Whether recovery would have to replay a segment and more.
  private var isRedoLong: Bool {
    log.tail &- checkpointer.durableRecoveryLSN.load() >= UInt64(log.settings.segmentPayload)
  }

  private func isReclaimDue() throws(LugeError) -> Bool {
    if try pages.isReclaimDue() { return true }
    return try context.values.isReclaimDue()
  }

  private func hasWorkForCheckpoint() throws(LugeError) -> Bool {
    if isRedoLong { return true }
    if try pages.reclaimableBytes() > 0 { return true }
    if try context.values.reclaimableBytes() > 0 { return true }
    return cleaner.takeWish()
  }

  /// Drops a tree; see `Database.dropTree`.
  func dropTree(named name: String) throws(LugeError) -> Bool {
    try checkpointer.lock.acquire()
    defer { checkpointer.lock.unlock() }
    try cleaner.lock.acquire()
    defer { cleaner.lock.unlock() }
    try valueCleaner.lock.acquire()
    defer { valueCleaner.lock.unlock() }
    return try catalogue.drop(name)
  }

  /// Ends the database: no new operations, everything durable, memory freed, lock released.
  /// Answers the first error met; resources are released all the same.
  func close(joining threads: [ThreadID]) throws(LugeError) {
    guard state.compareExchange(expected: State.open, desired: State.closing) else {
      throw LugeError(.closed, "the database is closed")
    }
    var failure: LugeError?
    var holdsCheckpointLock = false
    defer { if holdsCheckpointLock { checkpointer.lock.unlock() } }
    var holdsCleanerLock = false
    defer { if holdsCleanerLock { cleaner.lock.unlock() } }
    var holdsValueLock = false
    defer { if holdsValueLock { valueCleaner.lock.unlock() } }
    do throws(LugeError) {
      try stop(threads)
      try catalogue.closeAll()
      // Until all is freed: a checkpoint, or whoever else walks the trees, may be waiting for it.
      try checkpointer.lock.acquire()
      holdsCheckpointLock = true
      try cleaner.lock.acquire()
      holdsCleanerLock = true
      try valueCleaner.lock.acquire()
      holdsValueLock = true
      try context.epochs.waitForQuiescence(platform.threads)
      try checkpointer.runLocked(isLast: true)
    } catch { failure = error }
    state.store(State.closed)
    log.close()
    pages.close()
    context.values.close()
    superblocks.close()
    // After a kill other threads may still be unwinding inside an operation: then `deinit` frees.
    if failure?.code != .killed { destroy() }
    directoryLock.release()
    if let failure { throw failure }
  }

  private func stop(_ threads: [ThreadID]) throws(LugeError) {
    do throws(PlatformError) {
      for thread in threads { platform.threads.unpark(thread) }
      for thread in threads { try platform.threads.join(thread) }
    } catch {
      throw LugeError(error, doing: "joining the database's threads")
    }
  }

  /// Gives up without writing: what a database does whose owner forgot to close it.
  func abandon() {
    _ = state.compareExchange(expected: State.open, desired: State.closing)
    // The other threads look now and then.
    context.unparkEvictors()
  }

  private func destroy() {
    if destroyed.exchange(1) == 1 { return }
    catalogue.destroyAll()
    try? context.discardReleased()
    context.epochs.freeAll()
  }
}
