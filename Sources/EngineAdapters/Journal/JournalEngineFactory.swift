public import EngineKit
public import Platform

/// An ordered map in memory with a journal of groups, and its twin that reads on behind a group that is gone.
///
/// Without lies both are right: each flush writes one group and waits for its syncs, so only the last can be torn.
public struct JournalEngineFactory: EngineFactory {
  public let name: String
  private let skips: Bool

  public let capabilities: EngineCapabilities = [
    .simulatable, .prefixDurability, .concurrentClients, .snapshotScans,
  ]
  public let faultContract = FaultContract([
    .processKill: .survives, .powerLoss: .survives, .droppedWrite: .survives,
    .tornWrite: .survives, .reorderedWrite: .survives, .lostLength: .survives,
    .lostDirectoryEntry: .survives, .latency: .survives, .lyingSync: .mayLose,
  ])
  public let faultPoints: [String] = []
  public let probes: [String] = []

  private init(_ name: String, skips: Bool) {
    self.name = name
    self.skips = skips
  }

  /// Ends at the first group that is not whole, and removes what is behind it.
  public static let stopping = JournalEngineFactory("journal", skips: false)

  /// Leaves groups out that are not whole, whatever comes behind them: wrong where a sync has lied.
  public static let skipping = JournalEngineFactory("skips-lost-groups", skips: true)

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    try JournalEngine(directory, on: platform, skips: skips)
  }
}
