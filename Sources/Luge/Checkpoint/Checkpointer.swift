import Platform

/// Makes checkpoints: images of all leaves that changed, the directory that names every leaf's
/// image, and the superblock that names the directory.
///
/// Invariants (each order is one that a crash at any point relies on):
/// 1. The redo start R is read before the list of trees and before any leaf is looked at: a commit that an image lacks has an LSN >= R.
/// 2. The walk goes on from the high key *of the image written*, so images neither overlap nor leave a gap, whatever splits meanwhile.
/// 3. No superblock is written before the redo of every image that it names is durable, and before
///    images, directory and their files' names are.
/// 4. Nothing that the newest durable superblock names is removed or reused.
/// 5. What a checkpoint that fails has written stays: the next one names it.
final class Checkpointer: @unchecked Sendable {
  private let log: RedoLog
  private let pages: PageStore
  private let superblocks: SuperblockStore
  private let catalogue: Catalogue
  private let identifiers: IdentifierSequence
  private let pageSize: Int
  let lock: Lock
  // Guarded by `lock`.
  private var newest: Superblock
  /// The directory of the newest durable superblock.
  private(set) var directory: [DirectoryEntry]
  private var parts: [PagePart]

  /// Redo start of the newest durable checkpoint; readable by anyone.
  let durableRecoveryLSN: AtomicWord

  init(
    log: RedoLog, pages: PageStore, superblocks: SuperblockStore, catalogue: Catalogue,
    identifiers: IdentifierSequence, newest: Superblock, directory: [DirectoryEntry],
    parts: [PagePart], pageSize: Int, threads: any Threads
  ) {
    self.log = log
    self.pages = pages
    self.superblocks = superblocks
    self.catalogue = catalogue
    self.identifiers = identifiers
    self.newest = newest
    self.directory = directory
    self.parts = parts
    self.pageSize = pageSize
    lock = Lock(threads: threads)
    durableRecoveryLSN = AtomicWord(newest.recoveryLSN)
  }

  /// Makes one checkpoint. Blocks on I/O; writers and readers go on meanwhile.
  func run() throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    try runLocked()
  }

  /// The same for a caller that holds `lock`, or is alone.
  func runLocked() throws(LugeError) {
    try log.checkUsable()
    try failurePoint("checkpoint.begin", doing: "beginning a checkpoint")
    let redoStart = log.tail
    let identifiersReserved = identifiers.reservedThrough
    let (trees, nextTreeID) = try catalogue.snapshot()
    var walk = CheckpointWalk(sparse: try sparseSegments())
    var parts: [PagePart] = []
    do throws(LugeError) {
      for tree in trees { try walk.visit(tree) }
      try writeDirectory(walk.entries, &parts)
      // In reading order.
      parts.reverse()
      // Rule ORD: the redo of every version in these images, then the images, then the superblock.
      try log.flush()
      try pages.sync()
      try failurePoint("checkpoint.beforeSuperblock", doing: "completing a checkpoint")
      var next = newest
      next.recoveryLSN = redoStart
      next.durableLSN = log.durable
      next.incarnation = log.incarnation
      next.directoryAddress = parts.first?.address.rawValue ?? 0
      next.directoryParts = UInt64(parts.count)
      next.nextPageSerial = try pages.nextSegmentSerial()
      next.idsReserved = identifiersReserved
      next.nextTreeID = nextTreeID
      newest = try superblocks.write(next)
      directory = walk.entries
      swap(&self.parts, &parts)
    } catch {
      // Named by nothing: the next checkpoint writes a directory of its own.
      try? pages.release(parts)
      // A failed sync is final for the whole database, whichever file it was.
      if pages.hasFailed || superblocks.hasFailed { log.fail(error) }
      throw error
    }
    durableRecoveryLSN.store(redoStart)
    log.superblockSequence = newest.sequence
    probe("checkpoint.completed")
    try releaseWhatIsUnnamed(redoStart, former: parts)
  }

  /// The directory in parts, last part first, so that each names the next. Whatever comes, `parts`
  /// has those that were written.
  private func writeDirectory(
    _ entries: [DirectoryEntry], _ parts: inout [PagePart]
  ) throws(LugeError) {
    let split = DirectoryPart.split(entries, target: pageSize)
    if split.count > 1 { probe("checkpoint.directoryInParts") }
    for part in split.reversed() {
      let bytes = DirectoryPart(next: parts.last?.address ?? .none, entries: part).encode()
      parts.append(try pages.append(.directory, bytes))
    }
  }

  /// Segments of which less than half is live: the walk writes their leaves again, so that the segment can go.
  private func sparseSegments() throws(LugeError) -> [UInt64] {
    var sparse: [UInt64] = []
    // The last one is being filled, and would look sparse until it is; one without anything live
    // goes by itself.
    for segment in try pages.segmentList().dropLast()
    where segment.liveBytes > 0
      && segment.liveBytes * 2 < segment.fileBytes - PageFormat.blockBytes
    {
      sparse.append(segment.serial)
    }
    return sparse
  }

  /// What the directory reaches, and its parts.
  static func namedBytes(_ directory: [DirectoryEntry], _ parts: [PagePart]) -> SegmentBytes {
    var table = SegmentBytes()
    for entry in directory { table.add(PagePart(address: entry.address, length: entry.length)) }
    for part in parts { table.add(part) }
    return table
  }

  /// What the newest superblock does not name goes. A file that cannot be removed now is tried again later.
  private func releaseWhatIsUnnamed(
    _ redoStart: UInt64, former: [PagePart]
  ) throws(LugeError) {
    try pages.release(former)
    try pages.noteNamed(Self.namedBytes(directory, parts))
    try failurePoint("checkpoint.release", doing: "giving back what a checkpoint freed")
    try pages.reclaim()
    try log.release(below: redoStart)
  }
}
