/// Every fault point and probe of the engine. A name that the code uses is here, and a name that is
/// here is used and reached: the tests and the simulator check both.
public enum SeamNames {
  /// Places where a simulation may inject a failure.
  public static let faultPoints: [String] = [
    // Log
    "log.newSegment", "log.seal", "log.sync", "log.write",
    "superblock.sync", "superblock.write",
    // PageStore
    "page.newSegment", "page.sync", "page.write",
    // Large values
    "value.append", "value.copied", "value.read", "value.write",
    // Checkpoint
    "checkpoint.beforeSuperblock", "checkpoint.begin", "checkpoint.beginEra", "checkpoint.chunk",
    "checkpoint.release",
    // Cleaner
    "cleaner.appended", "cleaner.taking",
    // Page cache
    "cache.evict", "cache.evictChunk", "cache.load", "cache.loadChunk",
    // Tree
    "tree.batchCommit", "tree.batchInstall", "tree.chunkFrozen", "tree.frozen", "tree.install",
    "tree.leafTaken", "tree.leaving", "tree.uniting", "tree.reserved", "tree.scan", "tree.split",
    "tree.stamp", "tree.writeOut",
  ]

  /// Places that some run must reach.
  public static let probes: [String] = [
    // Background work
    "background.slept",
    // Log
    "log.admissionFlushed", "log.flushWaited", "log.flusherWoken", "log.groupOfMany",
    "log.pieceSpansBlocks", "log.pieceSpansSegments", "log.ringWrapped", "log.segmentRecycled",
    "log.segmentReserved", "log.segmentRolled", "log.spareKeptBack",
    // PageStore
    "page.appendWaited", "page.fileClosed", "page.segmentRemoved",
    "page.segmentRolled", "page.writeRetried",
    // Large values
    "cleaner.valueKept", "cleaner.valueMoved", "recovery.commitApartReplayed",
    "recovery.operationReadApart", "recovery.valueReplayed",
    "tree.batchApart", "value.appended", "value.compared", "value.ownSegment",
    "value.readAgain", "value.segmentKept", "value.unused", "value.viewed",
    "value.writtenDirectly",
    // Checkpoint, catalogue, ids, recovery
    "catalogue.treeCreated", "catalogue.treeDropped", "checkpoint.completed",
    "checkpoint.chunkKept", "checkpoint.chunkOutrun", "checkpoint.directoryInParts",
    "checkpoint.spaceGivenBack", "checkpoint.walkedAgain",
    "cleaner.busy", "cleaner.chunkMoved", "cleaner.emptied", "cleaner.leftOver", "cleaner.moved",
    "cleaner.outrun",
    "identifiers.reserved", "identifiers.reservedAhead", "recovery.bytesCounted",
    "recovery.commitReplayed",
    "recovery.completed", "recovery.erasJoined", "recovery.tailCopied",
    "recovery.changesTaken", "recovery.identifiersReplayed", "recovery.pageReplayed",
    "recovery.portionReplayed",
    "recovery.replayCompleted", "recovery.setAside", "recovery.skippedByImage",
    "recovery.readAgain", "recovery.treeDropped", "superblock.copyUnreadable",
    "superblock.readAgain",
    // Page cache
    "cache.chunkEvicted", "cache.chunkPagedIn", "cache.chunkStays", "cache.chunkPassedOver",
    "cache.evicted",
    "cache.evictedAhead", "cache.evictionGaveUp", "cache.evictionPutOff", "cache.fragmentsRead",
    "cache.folded", "cache.ghostHit", "cache.glanced", "cache.glanceOutrun", "cache.loadAwaited",
    "cache.loadFailed", "cache.overdrawn", "cache.pagedIn",
    "cache.partialAwaited", "cache.partialBegun", "cache.partialCompleted", "cache.promoted",
    "cache.unusedStays", "cache.versionCopied", "cache.writerWaited",
    // Images
    "image.compressed", "image.incompressible",
    // Tree
    "tree.abortedSkipped", "tree.appendRaced", "tree.batchAborted", "tree.batchHeldPages",
    "tree.batchRetried", "tree.batchWaited",
    "tree.chunkSplit", "tree.chunkSplitLost", "tree.chunksUnited", "tree.consolidated",
    "tree.gateClosed", "tree.leavesMerged", "tree.mergeHelped", "tree.fragmentWritten",
    "tree.helpedFrozen", "tree.helpedFrozenChunk", "tree.leafSplit",
    "tree.movedRight", "tree.pendingPushed", "tree.scanLookedBeneath", "tree.scanOrdered",
    "tree.stampLost",
    "tree.stampedForOther", "tree.tombstoneDropped", "tree.versionKept", "tree.versionTakenOut",
    "tree.wordRaced", "tree.writeOutOfNothing", "tree.writeOutPushed",
  ]
}
