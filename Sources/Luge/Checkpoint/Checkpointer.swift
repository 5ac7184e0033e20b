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
/// 5. What a checkpoint that fails has written stays good for the next one, which names it.
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
  private var parts: [PageAddress]

  /// Redo start of the newest durable checkpoint; readable by anyone.
  let durableRecoveryLSN: AtomicWord

  init(
    log: RedoLog, pages: PageStore, superblocks: SuperblockStore, catalogue: Catalogue,
    identifiers: IdentifierSequence, newest: Superblock, directory: [DirectoryEntry],
    parts: [PageAddress], pageSize: Int, threads: any Threads
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
    // What is evicted from here on lies in the segment written to now, or in a later one.
    let firstSerial = try pages.nextSegmentSerial() - 1
    var walk = CheckpointWalk(sparse: try sparseSegments())
    do throws(LugeError) {
      for tree in trees { try walk.visit(tree) }
      let parts = try writeDirectory(walk.entries)
      // Rule ORD: the redo of every version in these images, then the images, then the superblock.
      try log.flush()
      try pages.sync()
      try failurePoint("checkpoint.beforeSuperblock", doing: "completing a checkpoint")
      var next = newest
      next.recoveryLSN = redoStart
      next.durableLSN = log.durable
      next.incarnation = log.incarnation
      next.directoryAddress = parts.first?.rawValue ?? 0
      next.directoryParts = UInt64(parts.count)
      next.nextPageSerial = try pages.nextSegmentSerial()
      next.idsReserved = identifiersReserved
      next.nextTreeID = nextTreeID
      newest = try superblocks.write(next)
      directory = walk.entries
      self.parts = parts
    } catch {
      // A failed sync is final for the whole database, whichever file it was.
      if pages.hasFailed || superblocks.hasFailed { log.fail(error) }
      throw error
    }
    durableRecoveryLSN.store(redoStart)
    log.superblockSequence = newest.sequence
    probe("checkpoint.completed")
    try releaseWhatIsUnnamed(redoStart, below: firstSerial)
  }

  /// The directory in parts, last part first, so that each names the next. In reading order.
  private func writeDirectory(_ entries: [DirectoryEntry]) throws(LugeError) -> [PageAddress] {
    let split = DirectoryPart.split(entries, target: pageSize)
    if split.count > 1 { probe("checkpoint.directoryInParts") }
    var addresses: [PageAddress] = []
    for part in split.reversed() {
      let bytes = DirectoryPart(next: addresses.last ?? .none, entries: part).encode()
      addresses.append(try pages.append(.directory, bytes))
    }
    return Array(addresses.reversed())
  }

  /// Segments of which less than half is live: the walk writes their leaves again, so that the segment can go.
  private func sparseSegments() throws(LugeError) -> [UInt64] {
    let live = liveBytes()
    var sparse: [UInt64] = []
    let sizes = try pages.segmentSizes()
    // The last one is being filled, and would look sparse until it is.
    for (serial, size) in sizes.dropLast() {
      // A segment without anything live goes by itself.
      guard let alive = live.first(where: { item in item.serial == serial }) else { continue }
      if alive.bytes * 2 < size - PageFormat.blockBytes { sparse.append(serial) }
    }
    return sparse
  }

  /// Bytes of leaf images that the newest checkpoint names, by segment, in ascending order.
  private func liveBytes() -> [(serial: UInt64, bytes: Int)] {
    let entries = directory.sorted { left, right in left.address < right.address }
    var result: [(serial: UInt64, bytes: Int)] = []
    for entry in entries {
      let bytes = PageFormat.recordBytes(payload: entry.length)
      if result.last?.serial == entry.address.serial {
        result[result.count - 1].bytes += bytes
      } else {
        result.append((entry.address.serial, bytes))
      }
    }
    return result
  }

  /// What the newest superblock does not name goes. A file that cannot be removed now is tried again later.
  ///
  /// - Parameter firstSerial: of the first page segment that may hold what was evicted since the walk began.
  private func releaseWhatIsUnnamed(
    _ redoStart: UInt64, below firstSerial: UInt64
  ) throws(LugeError) {
    try failurePoint("checkpoint.release", doing: "giving back what a checkpoint freed")
    var live = liveBytes().map { item in item.serial }
    live.append(contentsOf: parts.map { address in address.serial })
    live.sort()
    _ = try pages.removeSegments(notIn: live, below: firstSerial)
    try log.release(below: redoStart)
  }
}
