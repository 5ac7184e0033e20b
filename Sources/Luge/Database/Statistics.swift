import Platform

/// Figures of an open database at one moment. Each is exact; together they may be of slightly different moments.
public struct Statistics: Equatable, Sendable {
  /// Trees, the default one included.
  public var trees = 0
  /// Entries of all trees.
  public var entries = 0
  /// Bytes of memory in use, of `Configuration.memoryBudget`: records, leaves, indexes and buffers.
  public var memoryBytes = 0
  /// Bytes that were taken from the system for that: above `memoryBytes` by what is free in slabs.
  public var memoryTaken = 0
  /// Pages taken out of memory since the database was opened.
  public var evictions = 0
  /// Pages read into memory since the database was opened.
  public var pageIns = 0
  /// Position after the last commit reserved, in bytes of the redo stream since the database was made.
  public var tailLSN: UInt64 = 0
  /// Everything below is on stable storage.
  public var durableLSN: UInt64 = 0
  /// Recovery would replay the redo from here.
  public var recoveryLSN: UInt64 = 0
  /// Bytes of the redo segment files.
  public var redoBytes = 0
  /// Bytes of the page segment files.
  public var pageBytes = 0
}

extension Database {
  /// Looks at counters, entries as `Tree.count` does; takes the locks of the catalogue and of the page
  /// segments for a moment. O(trees and segments). Throws `.closed`.
  public func statistics() throws(LugeError) -> Statistics {
    try core.checkOpen()
    var statistics = Statistics()
    for tree in try core.catalogue.snapshot().trees where tree.id != Catalogue.catalogueID {
      statistics.trees += 1
      try tree.replayPending()
      statistics.entries += tree.entryCount
    }
    statistics.memoryBytes = core.context.epochs.account.bytes
    statistics.memoryTaken = core.context.epochs.account.taken
    statistics.evictions = Int(core.context.cache.evictions.load())
    statistics.pageIns = Int(core.context.cache.pageIns.load())
    statistics.tailLSN = core.log.tail
    statistics.durableLSN = core.log.durable
    statistics.recoveryLSN = core.checkpointer.durableRecoveryLSN.load()
    statistics.redoBytes = Int(core.log.diskBytes)
    statistics.pageBytes = try pageBytes()
    return statistics
  }

  private func pageBytes() throws(LugeError) -> Int {
    var sum = 0
    for segment in try core.pages.segmentList() { sum += segment.fileBytes }
    return sum
  }

  /// Bytes of the database's segment files, as `statistics()` counts them. Throws `.closed`.
  public func sizeOnDisk() throws(LugeError) -> Int {
    try core.checkOpen()
    return Int(core.log.diskBytes) + (try pageBytes())
  }
}
