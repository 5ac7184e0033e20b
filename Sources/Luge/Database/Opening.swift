import Platform

/// Opens a database: takes the directory's lock, finds the newest superblock or makes the first,
/// recovers, and starts the log under a new incarnation.
///
/// Order of steps (a crash after any of them leaves a database that opens):
/// 1. Directory, then lock, then superblock. A first superblock is durable before any other file is made: so
///    files without a superblock are damage, never a new database.
/// 2. The directory is loaded, the redo from R is replayed into the leaves that it touches.
/// 3. The log goes on in fresh segments of an incarnation that no file names yet: a new era. It begins with a
///    durable copy of what nothing says is durable in the old one: its last group.
/// 4. A superblock names the new era beside the old ones, which end where it begins, with R and images as they were.
///    Only then the database serves. Where nothing is to be replayed, R is where the new era begins, and
///    it stands alone; where there are too many, a checkpoint takes the place of that superblock.
///
/// Safe: payloads that a scan lends are looked at within the call.
struct Opening {
  let directory: String
  let configuration: Configuration
  let platform: PlatformServices
  private(set) var wasRecovered = true

  static let lockName = "LOCK"

  init(directory: String, configuration: Configuration, platform: PlatformServices) {
    self.directory = directory
    self.configuration = configuration
    self.platform = platform
  }

  mutating func run() throws(LugeError) -> DatabaseCore {
    try prepareDirectory()
    let lock = try acquireLock()
    do throws(LugeError) {
      return try open(lock)
    } catch {
      lock.release()
      throw error
    }
  }

  private func prepareDirectory() throws(LugeError) {
    do throws(PlatformError) {
      if let status = try platform.files.status(directory) {
        if status.isDirectory { return }
        throw PlatformError(.notADirectory, operation: "open", path: directory)
      }
      guard configuration.createIfMissing else {
        throw PlatformError(.notFound, operation: "open", path: directory)
      }
      try platform.files.createDirectory(directory)
      try platform.files.syncDirectory(parent(of: directory))
    } catch {
      throw LugeError(error, doing: "opening the database directory")
    }
  }

  /// The directory may be there and its name not be durable: an earlier opening made it, and failed.
  private func syncParent() throws(LugeError) {
    do throws(PlatformError) {
      try platform.files.syncDirectory(parent(of: directory))
    } catch {
      // Whoever made a directory under one that we may not read answers for its name.
      if error.code == .permissionDenied { return }
      throw LugeError(error, doing: "syncing the name of the database directory")
    }
  }

  private func acquireLock() throws(LugeError) -> any FileLock {
    do throws(PlatformError) {
      // Looking first keeps a read of a foreign directory from leaving a lock file in it.
      if !configuration.createIfMissing,
        try platform.files.status(directory + "/" + SuperblockStore.name) == nil
      {
        throw PlatformError(
          .notFound, operation: "open", path: directory, detail: "the directory holds no database")
      }
      return try platform.files.lock(directory + "/" + Self.lockName)
    } catch {
      throw LugeError(error, doing: "locking the database directory")
    }
  }

  private mutating func open(_ lock: any FileLock) throws(LugeError) -> DatabaseCore {
    let superblocks = SuperblockStore(files: platform.files, directory: directory)
    let superblock: Superblock
    if let newest = try superblocks.load() {
      if configuration.createNew {
        throw LugeError(.alreadyExists, "the directory holds a database", path: directory)
      }
      superblock = newest
      try checkFixedSettings(newest)
    } else {
      superblock = try createFirst(superblocks)
      wasRecovered = false
    }
    let pages = try PageStore(
      platform: platform, directory: directory, segmentBytes: Int(superblock.pageSegmentBytes),
      nextSerial: superblock.nextPageSerial, bufferBytes: configuration.pageBufferSize,
      openFiles: configuration.maximumOpenSegments,
      cacheBytes: configuration.cacheBytes(platform.files))
    let values = try PageStore(
      platform: platform, directory: directory, family: .values,
      segmentBytes: Int(superblock.valueSegmentBytes), nextSerial: superblock.nextValueSerial,
      bufferBytes: configuration.pageBufferSize, openFiles: configuration.maximumOpenSegments)
    let (log, eras, redo) = try makeLog(superblock, superblocks, values)
    let context = TreeContext(
      log: log, epochs: EpochReclaimer(), pages: pages, values: values, platform: platform,
      settings: treeSettings(superblock, largestPiece: largestPiece(log, superblock)),
      memory: MemoryLimits(
        budget: configuration.memoryBudget, fixed: configuration.bufferMemory,
        chunks: configuration.chunkShare))
    let recovery = Recovery(
      platform: platform, directory: directory, superblock: superblock, redo: redo, pages: pages,
      context: context)
    let state: Recovery.State
    do throws(LugeError) {
      state = try recovery.run()
    } catch {
      recovery.destroyTrees()
      try? context.discardReleased()
      context.epochs.freeAll()
      throw error
    }
    let core = makeCore(state, context, log, superblock, superblocks, pages, lock)
    // From here on the core owns all memory, and frees it when this throws.
    if eras.all.count > Superblock.mostEras {
      probe("recovery.erasJoined")
      try core.checkpointer.runLocked()
    } else {
      try core.checkpointer.begin(eras.all, recoveryLSN: eras.recoveryLSN)
    }
    if wasRecovered { probe("recovery.completed") }
    return core
  }

  /// What the redo stream is made of once the database is open.
  private struct Eras {
    var recoveryLSN: UInt64
    var all: [RedoEra]
  }

  /// Reads the old redo, and makes a log that goes on at its end under a new incarnation.
  private func makeLog(
    _ superblock: Superblock, _ superblocks: SuperblockStore, _ values: PageStore
  ) throws(LugeError) -> (RedoLog, Eras, FoundRedo) {
    var (scan, redo) = try scanRedo(superblock, values)
    guard scan.highestIncarnation < Superblock.largestCounter, scan.end < Superblock.largestCounter
    else {
      throw LugeError(
        .corruption, "the redo log says what cannot be", path: directory,
        found: "incarnation \(scan.highestIncarnation), end \(scan.end)")
    }
    try RedoSegmentFiles.removeUnfinished(platform.files, directory: directory)
    let incarnation = scan.highestIncarnation + 1
    if scan.records == 0 {
      let start = RedoFormat.startLSN(afterEnd: scan.end)
      let era = RedoEra(incarnation: incarnation, start: start)
      redo.eras = [era]
      let log = try makeLog(superblock, values, scan, era, next: start)
      return (log, Eras(recoveryLSN: start, all: [era]), redo)
    }
    guard let old = superblock.eras.last else { preconditionFailure("a superblock names an era") }
    let era = RedoEra(
      incarnation: incarnation, start: max(scan.lastGroup, superblock.durableLSN, old.start))
    let tail = RedoTail(files: platform.files, old: old, new: era, end: scan.end)
    let log = try makeLog(superblock, values, scan, era, next: tail.next)
    // Segments are overwritten from here on: those that the superblock does not need.
    try superblocks.secure()
    try log.release(below: superblock.recoveryLSN, eraIsNamed: false)
    try log.carryOver(tail, scan.segments)
    var all = superblock.eras.filter { older in older.start < era.start }
    all.removeFirst(all.lastIndex { older in older.start <= superblock.recoveryLSN } ?? 0)
    all.append(era)
    redo.eras = all
    return (log, Eras(recoveryLSN: superblock.recoveryLSN, all: all), redo)
  }

  private func scanRedo(
    _ superblock: Superblock, _ values: PageStore
  ) throws(LugeError) -> (RedoScan.Result, FoundRedo) {
    // The index is charged to the budget until a checkpoint has made it needless.
    let harvest = RedoHarvest(
      limit: (configuration.memoryBudget - configuration.bufferMemory) / 8 * 3, values: values)
    var isIndexed = true
    // The payloads are lent for a call, and nothing of them is kept.
    let scan = unsafe try RedoScan.run(
      files: platform.files, directory: directory, superblock: superblock
    ) { (lsn, kind, payload) throws(LugeError) in
      // Lent for the call, as said above.
      if isIndexed, unsafe try !harvest.take(lsn, kind, payload) {
        isIndexed = false
        harvest.clear()
      }
    }
    harvest.pending.sort()
    return (
      scan, FoundRedo(harvest: harvest, isIndexed: isIndexed, end: scan.end, eras: [])
    )
  }

  private func makeLog(
    _ superblock: Superblock, _ values: PageStore, _ scan: RedoScan.Result, _ era: RedoEra,
    next: UInt64
  ) throws(LugeError) -> RedoLog {
    var settings = RedoSettings()
    settings.ringBytes = configuration.logBufferSize
    settings.segmentPayload = Int(superblock.redoSegmentPayload)
    settings.maximumThreads = configuration.maximumWriters
    settings.largestOrdinaryPiece = configuration.ordinaryCommitSize
    return try RedoLog(
      platform: platform, directory: directory, settings: settings, incarnation: era.incarnation,
      start: era.start, next: next, superblockSequence: superblock.sequence,
      segments: scan.segments, eras: superblock.eras, prerequisite: values)
  }

  /// The largest piece of the redo stream: the payload of a larger commit goes to a value segment.
  private func largestPiece(_ log: RedoLog, _ superblock: Superblock) -> Int {
    min(log.largestPiece, Int(superblock.pageSegmentBytes) / 4)
  }

  /// A leaf holds up to this and one commit, a quarter of a segment, more; its image has bounds too.
  private func pageBytes(_ superblock: Superblock) -> Int {
    min(configuration.pageSize, Int(superblock.pageSegmentBytes) / 8)
  }

  private func treeSettings(_ superblock: Superblock, largestPiece: Int) -> TreeSettings {
    let pageBytes = pageBytes(superblock)
    return TreeSettings(
      leafEntries: configuration.leafEntries, appendWords: configuration.leafAppendSlots,
      leafBytes: pageBytes, chunkPages: configuration.chunkPages,
      lossesBeforeGate: configuration.batchLossesBeforeGate,
      compression: configuration.compression,
      // A leaf full of the largest that lie in leaves must fit into a segment.
      largeValue: min(configuration.largeValueSize, Int(superblock.pageSegmentBytes) / 64),
      largestPiece: min(largestPiece, configuration.largeCommitSize ?? .max))
  }

  private func makeCore(
    _ state: Recovery.State, _ context: TreeContext, _ log: RedoLog, _ superblock: Superblock,
    _ superblocks: SuperblockStore, _ pages: PageStore, _ lock: any FileLock
  ) -> DatabaseCore {
    let identifiers = IdentifierSequence(
      firstUnused: state.identifiersReserved, reservation: configuration.identifierReservation,
      log: log, platform: platform)
    let catalogue = Catalogue(
      tree: state.catalogueTree, defaultTree: state.defaultTree, open: state.named,
      nextTreeID: state.nextTreeID, context: context, threads: platform.threads)
    let checkpointer = Checkpointer(
      log: log, pages: pages, superblocks: superblocks, catalogue: catalogue,
      identifiers: identifiers, newest: superblock, records: state.records, context: context,
      threads: platform.threads)
    let cleaner = Cleaner(
      pages: pages, catalogue: catalogue, target: configuration.cleanerFillTarget,
      threads: platform.threads)
    let valueCleaner = Cleaner(
      pages: context.values, catalogue: catalogue, target: configuration.cleanerFillTarget,
      threads: platform.threads)
    return DatabaseCore(
      platform: platform, directory: directory, configuration: configuration, context: context,
      log: log, pages: pages, superblocks: superblocks, catalogue: catalogue,
      identifiers: identifiers, checkpointer: checkpointer, cleaner: cleaner,
      valueCleaner: valueCleaner, directoryLock: lock,
      maximumPiece: largestPiece(log, superblock))
  }

  private func createFirst(_ superblocks: SuperblockStore) throws(LugeError) -> Superblock {
    guard configuration.createIfMissing else {
      throw LugeError(.notFound, "the directory holds no database", path: directory)
    }
    let names: [String]
    do throws(PlatformError) {
      names = try platform.files.list(directory)
    } catch {
      throw LugeError(error, doing: "listing the database directory")
    }
    if let stray = names.first(where: { name in
      name.hasPrefix("redo-") || name.hasPrefix("page-") || name.hasPrefix("value-")
    }) {
      throw LugeError(
        .corruption, "the database's superblock file is missing, but its segments are there",
        path: directory + "/" + stray, expected: SuperblockStore.name, found: "no such file")
    }
    try syncParent()
    var first = Superblock()
    first.redoSegmentPayload = UInt64(
      configuration.redoSegmentSize ?? Configuration.defaultRedoSegmentSize)
    first.pageSegmentBytes = UInt64(
      configuration.pageSegmentSize ?? Configuration.defaultPageSegmentSize)
    first.valueSegmentBytes = UInt64(
      configuration.valueSegmentSize ?? Configuration.defaultValueSegmentSize)
    first.eras = [RedoEra(incarnation: 0, start: RedoFormat.firstLSN)]
    first.recoveryLSN = RedoFormat.firstLSN
    first.durableLSN = RedoFormat.firstLSN
    first.idsReserved = 1
    first.nextTreeID = Catalogue.firstNamedID
    return try superblocks.create(first)
  }

  private func checkFixedSettings(_ stored: Superblock) throws(LugeError) {
    for (name, wanted, found) in [
      ("redoSegmentSize", configuration.redoSegmentSize, stored.redoSegmentPayload),
      ("pageSegmentSize", configuration.pageSegmentSize, stored.pageSegmentBytes),
      ("valueSegmentSize", configuration.valueSegmentSize, stored.valueSegmentBytes),
    ] {
      if let wanted, UInt64(wanted) != found {
        throw LugeError(
          .configurationMismatch, "\(name) is fixed for the life of a database", path: directory,
          expected: "\(found), as the database was created with", found: "\(wanted)")
      }
    }
  }

  private func parent(of path: String) -> String {
    var bytes = Array(path.utf8)
    while bytes.count > 1 && bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }
}
