public import SimulationKit

/// Every recorded run, in the order in which they are looked at. To add one: copy the shortest file
/// of this folder and add its line here.
public enum RunCatalogue {
  public static let all: [CrashRun] = [
    .sequentialWrites, .flushedWrites, .unflushedWrites, .blindWrites, .compareExchanges,
    .iteration, .batches, .batchesAcrossTrees, .batchesApart, .batchesAcrossBlocks, .largeValues,
    .largestValues, .largeValuesCleaned, .valueSegments, .identifiers, .identifiersAndKills,
    .trees, .treesDropped, .treesOfLargeValues, .splits, .splitsDownwards, .removals,
    .removalsAndRefills, .checkpoints, .checkpointsInParts, .emptyCheckpoints, .cleaner,
    .cleanerOfEvicted, .pageSegments, .eviction, .evictionOfBlindWrites, .chunksLeaving,
    .compressionFast, .compressionDense, .redoSegments, .fullDisk, .reopenings, .kills,
    .background, .clients,
  ]

  public static func named(_ name: String) -> CrashRun? { all.first { $0.name == name } }
}
