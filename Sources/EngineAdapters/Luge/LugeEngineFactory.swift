public import EngineKit
import Luge
public import Platform

/// How the harness makes a Luge, and what it holds it to.
public struct LugeEngineFactory: EngineFactory {
  public init() {}

  public var name: String { "luge" }

  public var capabilities: EngineCapabilities {
    [
      .namedTrees, .compareExchange, .batches, .crossTreeBatches, .identifiers,
      .concurrentClients, .snapshotScans, .checkpoints, .simulatable, .prefixDurability,
      .treeRemoval, .pops, .rangeRemoval, .snapshots, .cursors,
    ]
  }

  public var faultContract: FaultContract {
    FaultContract([
      .processKill: .survives,
      .powerLoss: .survives,
      .droppedWrite: .survives,
      .tornWrite: .survives,
      .reorderedWrite: .survives,
      .lostLength: .survives,
      .lostDirectoryEntry: .survives,
      .latency: .survives,
      .faultPointDelay: .survives,
      .faultPointKill: .survives,
      .faultPointError: .reports,
      .readError: .reports,
      .writeError: .reports,
      .noSpace: .reports,
      .shortRead: .reports,
      .shortWrite: .reports,
      .syncFailure: .reports,
      .bitRot: .reports,
      .misdirectedRead: .reports,
      .misdirectedWrite: .reports,
      .staleRead: .reports,
      .latentSectorError: .reports,
      .stuckCall: .survives,
      .lyingSync: .mayLose,
    ])
  }

  public var faultPoints: [String] { SeamNames.faultPoints }
  public var probes: [String] { SeamNames.probes }

  public func storageRules(for directory: String) -> [any StorageRule] {
    [LugeStorageRules(directory: directory)]
  }

  /// One segment of each kind.
  public func spaceKept(_ settings: EngineSettings) -> Int? {
    let configuration = Self.configuration(for: settings)
    // A redo segment has a block for its header besides. Of value segments each stream may be at one, the
    // writers' and the cleaner's; a new database has none.
    return (configuration.redoSegmentSize ?? 0) + 4096 + (configuration.pageSegmentSize ?? 0)
      + 2 * (configuration.valueSegmentSize ?? 0)
  }

  public func largestBatch(_ settings: EngineSettings) -> Int? {
    Self.configuration(for: settings).largestBatch
  }

  public var storageKinds: [String] { StorageMap.kinds }

  public func storageRegions(
    of directory: String, on platform: PlatformServices
  ) throws(EngineError) -> [StorageRegion]? {
    try translating { () throws(LugeError) in
      try StorageMap(platform: platform, directory: directory).regions
    }.map { region in
      let use: StorageRegion.Use =
        switch region.use {
        case .needed: .needed
        case .tail: .tail
        case .copied: .copied
        }
      return StorageRegion(
        region.path, offset: region.offset, count: region.count, kind: region.kind, use: use,
        checksumAt: region.checksumAt, checksumSeed: region.checksumSeed)
    }
  }

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    let configuration = Self.configuration(for: settings)
    let database = try translating { () throws(LugeError) in
      try Database.open(at: directory, configuration: configuration, platform: platform)
    }
    return LugeEngine(database: database)
  }

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings,
    by mistake: OpeningMistake
  ) throws(EngineError) -> (any KeyValueEngine)? {
    var configuration = Self.configuration(for: settings)
    switch mistake {
    case .noDirectory, .noDatabase: configuration.createIfMissing = false
    case .notNew: configuration.createNew = true
    case .otherSizes:
      configuration.redoSegmentSize = configuration.redoSegmentSize.map { $0 + 4096 }
    case .aFile: break
    }
    let database = try translating { () throws(LugeError) in
      try Database.open(at: directory, configuration: configuration, platform: platform)
    }
    return LugeEngine(database: database)
  }

  /// No draw of its own: sizes that differ by a power of two bring another way.
  private static func compression(for settings: EngineSettings) -> Compression {
    switch settings.compression {
    case .none?: return .none
    case .fast?: return .lz4
    case .strong?: return .zstd(level: 1)
    case nil: break
    }
    let ways: [Compression] = [.none, .lz4, .zstd(level: 1), .none]
    return ways[
      (settings.segmentSize.trailingZeroBitCount + settings.pageSize.trailingZeroBitCount) % 4]
  }

  /// No draw of its own either.
  private static func largeValueSize(for settings: EngineSettings) -> Int {
    let sizes = [4 << 10, 512, 64, 1 << 10]
    return sizes[
      (settings.segmentSize.trailingZeroBitCount + settings.pageSize.trailingZeroBitCount / 2) % 4]
  }

  /// Small settings make small everything: segments, leaves, ring, reservations, so that a short run reaches every path.
  static func configuration(for settings: EngineSettings) -> Configuration {
    var configuration = Configuration()
    configuration.backgroundWork = settings.automaticBackgroundWork ? .automatic : .manual
    configuration.flushInterval = settings.flushInterval
    configuration.checkpointInterval = max(4096, settings.checkpointInterval)
    let segment = max(Configuration.smallestSegmentSize, settings.segmentSize / 4096 * 4096)
    configuration.redoSegmentSize = min(segment, 1 << 30)
    let pages = settings.pageSegmentSize.map { max(Configuration.smallestSegmentSize, $0) }
    configuration.pageSegmentSize = min(pages ?? max(segment, 256 << 10), 1 << 30)
    configuration.valueSegmentSize = min(max(segment, 32 << 10), 1 << 30)
    configuration.largeValueSize = largeValueSize(for: settings)
    // Where large values begin late, large commits begin early.
    if configuration.largeValueSize > 512 { configuration.largeCommitSize = 1024 }
    configuration.pageSize = min(max(256, settings.pageSize), 1 << 20)
    configuration.compression = compression(for: settings)
    if settings.segmentSize < 1 << 20 {
      // Of the smallest two, which are the same to the redo, one half turns twice as often.
      configuration.logBufferSize = settings.segmentSize <= 8 << 10 ? 64 << 10 : 128 << 10
      configuration.maximumWriters = 8
      configuration.ordinaryCommitSize = 1024
      configuration.identifierReservation = 16
      configuration.pageBufferSize = 4096
      configuration.maximumOpenSegments = 2
      // Small pages bring many aborted batches: then the gate is met too.
      configuration.batchLossesBeforeGate = settings.pageSize <= 1024 ? 1 : 8
    }
    if settings.pageSize < 4096 {
      configuration.leafEntries = max(4, settings.pageSize / 64)
      configuration.leafAppendSlots = max(2, settings.pageSize / 256)
      configuration.chunkPages = max(2, settings.pageSize / 256)
      // No draw of its own either: chunks go at once, or soon, or hardly ever.
      configuration.chunkShare = [0, 30, 250][settings.segmentSize.trailingZeroBitCount % 3]
    }
    configuration.memoryBudget = max(
      configuration.leastMemoryBudget,
      Self.buffers(configuration) + settings.memoryBudget)
    return configuration
  }

  /// With a log buffer of 128 KiB: a smaller one makes no budget smaller.
  private static func buffers(_ configuration: Configuration) -> Int {
    configuration.bufferMemory + max(0, 128 << 10 - configuration.logBufferSize)
  }
}
