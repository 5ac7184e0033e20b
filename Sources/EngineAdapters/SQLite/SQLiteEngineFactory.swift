#if SQLite
  public import EngineKit
  public import Platform

  /// Makes SQLite engines. Their files are real ones, whatever the platform: not to be simulated.
  public struct SQLiteEngineFactory: EngineFactory {
    public let name = "sqlite"
    public let capabilities: EngineCapabilities = [
      .namedTrees, .compareExchange, .batches, .crossTreeBatches, .identifiers,
      .concurrentClients, .snapshotScans, .checkpoints, .prefixDurability, .treeRemoval,
      .pops, .rangeRemoval,
    ]
    /// Only what its own documentation promises, and what a test on real files can bring about.
    public let faultContract = FaultContract([.processKill: .survives])
    public let faultPoints: [String] = []
    public let probes: [String] = []

    public init() {}

    public func open(
      _ directory: String, on platform: PlatformServices, settings: EngineSettings
    ) throws(EngineError) -> any KeyValueEngine {
      do throws(PlatformError) {
        if try platform.files.status(directory) == nil {
          try platform.files.createDirectory(directory)
        }
      } catch { throw EngineError(error) }
      return try SQLiteEngine(directory + "/sqlite.db", threads: platform.threads)
    }
  }
#endif
