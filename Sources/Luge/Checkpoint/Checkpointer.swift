import Platform

/// Makes checkpoints: images of all leaves that changed, images of the chunks above them, the list
/// that names every chunk's image, and the superblock that names the list.
///
/// Invariants (each order is one that a crash at any point relies on):
/// 1. The redo start R is read before the list of trees and before any leaf is looked at: a commit that an image lacks has an LSN >= R.
/// 2. The walk goes on from the high key *of the image written*, so images neither overlap nor leave a gap, whatever splits meanwhile.
/// 3. No superblock is written before the redo of every image that it names is durable, and before
///    images, list and their files' names are.
/// 4. Nothing that the newest durable superblock names is removed or reused; nor is a value that redo
///    from R on names, though no image does.
/// 5. Redo that pages on disk lack from before the opening is in leaves before R is read.
/// 6. What a checkpoint that fails has written stays: the next one names it.
final class Checkpointer: @unchecked Sendable {
  private let log: RedoLog
  private let pages: PageStore
  private let values: PageStore
  private let superblocks: SuperblockStore
  private let catalogue: Catalogue
  private let identifiers: IdentifierSequence
  private let context: TreeContext
  let lock: Lock
  // Guarded by `lock`.
  private var newest: Superblock
  /// Records of lists and tables that have not been released: those that the newest durable
  /// superblock names, and what failed checkpoints left.
  private(set) var records: [PagePart]

  /// Redo start of the newest durable checkpoint; readable by anyone.
  let durableRecoveryLSN: AtomicWord

  init(
    log: RedoLog, pages: PageStore, superblocks: SuperblockStore, catalogue: Catalogue,
    identifiers: IdentifierSequence, newest: Superblock, records: [PagePart],
    context: TreeContext, threads: any Threads
  ) {
    self.log = log
    self.pages = pages
    values = context.values
    self.superblocks = superblocks
    self.catalogue = catalogue
    self.identifiers = identifiers
    self.newest = newest
    self.records = records
    self.context = context
    lock = Lock(threads: threads)
    durableRecoveryLSN = AtomicWord(newest.recoveryLSN)
  }

  /// Before the first write of an opening: a superblock that names the new era of the redo log beside the
  /// old ones, so that from R on everything is read again. Only then is durable what the database
  /// serves. What the log needs no longer goes.
  func begin(_ eras: [RedoEra], recoveryLSN: UInt64) throws(LugeError) {
    try failurePoint("checkpoint.beginEra", doing: "beginning an era of the redo log")
    var next = newest
    next.eras = eras
    next.recoveryLSN = recoveryLSN
    next.durableLSN = log.durable
    next.nextPageSerial = try pages.nextSegmentSerial()
    next.nextValueSerial = try values.nextSegmentSerial()
    next.wasClosed = false
    do throws(LugeError) { newest = try superblocks.write(next) } catch {
      if superblocks.hasFailed { log.fail(error) }
      throw error
    }
    durableRecoveryLSN.store(recoveryLSN)
    log.superblockSequence = newest.sequence
    try log.release(below: recoveryLSN)
  }

  /// Makes one checkpoint. Blocks on I/O; writers and readers go on meanwhile.
  func run() throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    try runLocked()
  }

  /// The same for a caller that holds `lock`, or is alone. `isLast`: the database closes, and nobody
  /// else changes anything.
  func runLocked(isLast: Bool = false) throws(LugeError) {
    do throws(LugeError) { try runOnce(isLast) } catch {
      // A full disk: what is kept back for this is given up. All that was written so far counts.
      guard error.code == .noSpace, try log.giveBackSpares() else { throw error }
      probe("checkpoint.spaceGivenBack")
      try runOnce(isLast)
    }
  }

  /// Brings every page up to date that lacks redo from before this opening. With `lock` held.
  func completeReplay() throws(LugeError) {
    if !context.pending.isAttached { return }
    for tree in try catalogue.snapshot().trees { try tree.replayPending(closedToo: true) }
    context.epochs.account.charge(-(try context.pending.detach(context)))
    probe("recovery.replayCompleted")
  }

  private func runOnce(_ isLast: Bool) throws(LugeError) {
    try log.checkUsable()
    // Before R: redo below it is not read again.
    try completeReplay()
    try failurePoint("checkpoint.begin", doing: "beginning a checkpoint")
    // Before R: what was let go of by now is named by no redo from there on.
    try context.drainReleased()
    let redoStart = log.tail
    var next = newest
    next.recoveryLSN = redoStart
    next.eras = [RedoEra(incarnation: log.incarnation, start: log.start)]
    next.idsReserved = identifiers.reservedThrough
    let (trees, nextTreeID) = try catalogue.snapshot()
    next.nextTreeID = nextTreeID
    let named: (pages: SegmentBytes, values: SegmentBytes)
    do throws(LugeError) {
      named = try writePages(trees, &next, isLast)
      // Rule ORD: the redo of every version in these images, then the images, then the superblock.
      try log.flush(forCheckpoint: true)
      try pages.sync()
      // What the cleaner has moved; the rest was durable before the redo.
      try values.sync()
      try failurePoint("checkpoint.beforeSuperblock", doing: "completing a checkpoint")
      next.durableLSN = log.durable
      next.nextPageSerial = try pages.nextSegmentSerial()
      next.nextValueSerial = try values.nextSegmentSerial()
      newest = try superblocks.write(next)
    } catch {
      // A failed sync is final for the whole database, whichever file it was.
      if pages.hasFailed || values.hasFailed || superblocks.hasFailed { log.fail(error) }
      throw error
    }
    durableRecoveryLSN.store(redoStart)
    log.superblockSequence = newest.sequence
    probe("checkpoint.completed")
    try failurePoint("checkpoint.release", doing: "giving back what a checkpoint freed")
    try pages.noteNamed(named.pages)
    try pages.reclaim()
    try values.noteNamed(named.values, redoStart: redoStart)
    try values.reclaim()
    try log.release(below: redoStart)
    // There may be something to clean now, though nothing is written.
    if !isLast { log.wakeSleepers() }
  }

  /// Everything that the superblock will name. Answers how many bytes that is, by segment.
  private func writePages(
    _ trees: [BLinkTree], _ next: inout Superblock, _ isLast: Bool
  ) throws(LugeError) -> (pages: SegmentBytes, values: SegmentBytes) {
    var walk = try walkAll(trees)
    var isExact = try countsExactly()
    if isLast && !isExact {
      // The walk itself posts pages, and so outruns its own image of their chunk: the chunk keeps the
      // former one, which counts as live and is not named. Now all is posted, and what is named is
      // what is live.
      probe("checkpoint.walkedAgain")
      walk = try walkAll(trees)
      isExact = try countsExactly()
    }
    next.wasClosed = isLast && isExact
    let former = records.count
    let list = try writeList(walk.chunks)
    try pages.release(Array(records[..<former]), isNamed: false)
    records.removeFirst(former)
    let values = try values.endNaming()
    let valueTable = try pages.append(.segmentTable, values.encode())
    records.append(valueTable)
    next.valueTableAddress = valueTable.address.rawValue
    next.valueTableBytes = UInt64(valueTable.length)
    var named = try pages.endNaming()
    let table = try pages.append(.segmentTable, named.encode())
    records.append(table)
    named.add(table)
    let root = try pages.append(.directory, ChunkList.encodeRoot(list))
    records.append(root)
    named.add(root)
    next.tableAddress = table.address.rawValue
    next.tableBytes = UInt64(table.length)
    next.directoryAddress = root.address.rawValue
    next.directoryBytes = UInt64(root.length)
    return (named, values)
  }

  private func walkAll(_ trees: [BLinkTree]) throws(LugeError) -> CheckpointWalk {
    try context.drainReleased()
    try pages.beginNaming()
    try values.beginNaming()
    var walk = CheckpointWalk()
    for tree in trees { try walk.visit(tree) }
    return walk
  }

  /// Whether all that is live by now, and nothing else, is what the walk found. For the last walk:
  /// who works beside it may change that at once.
  private func countsExactly() throws(LugeError) -> Bool {
    if pages.counters.chunksUncounted.load() != 0 { return false }
    if !context.released.isEmpty || !context.releasedValues.isEmpty { return false }
    if context.keptValues.load() != 0 { return false }
    if try pages.isOutrun() { return false }
    return try !values.isOutrun()
  }

  private func writeList(_ chunks: [ChunkEntry]) throws(LugeError) -> [PagePart] {
    let payloads = ChunkList.encode(chunks, target: context.settings.leafBytes)
    if payloads.count > 1 { probe("checkpoint.directoryInParts") }
    var list: [PagePart] = []
    for payload in payloads {
      let part = try pages.append(.directory, payload)
      records.append(part)
      list.append(part)
    }
    return list
  }
}
