/// What an engine can do beyond one ordered map with get, insert, remove and scan. Workloads
/// draw only operations that the engine under test has; tests of a missing capability are skipped by name.
public struct EngineCapabilities: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Trees other than the default one, by name.
  public static let namedTrees = EngineCapabilities(rawValue: 1 << 0)
  public static let compareExchange = EngineCapabilities(rawValue: 1 << 1)
  /// Atomic write batches over one tree.
  public static let batches = EngineCapabilities(rawValue: 1 << 2)
  /// Atomic write batches over several trees.
  public static let crossTreeBatches = EngineCapabilities(rawValue: 1 << 3)
  public static let identifiers = EngineCapabilities(rawValue: 1 << 4)
  /// Several threads may call one engine at once.
  public static let concurrentClients = EngineCapabilities(rawValue: 1 << 5)
  /// A scan sees one state of the map; without it: ordered, each key present throughout met once.
  public static let snapshotScans = EngineCapabilities(rawValue: 1 << 6)
  /// Checkpoints on call.
  public static let checkpoints = EngineCapabilities(rawValue: 1 << 7)
  /// Does all its I/O, threads and time through `PlatformServices`, so that it can be simulated.
  public static let simulatable = EngineCapabilities(rawValue: 1 << 8)
  /// After a crash, what survives is a prefix of the commit order (else: only that what was flushed survives).
  public static let prefixDurability = EngineCapabilities(rawValue: 1 << 9)
  /// Trees can be dropped.
  public static let treeRemoval = EngineCapabilities(rawValue: 1 << 10)
  /// Every acknowledged write is durable at once, without a flush.
  public static let synchronousCommits = EngineCapabilities(rawValue: 1 << 11)
  /// The first and the last entry of a range can be taken out.
  public static let pops = EngineCapabilities(rawValue: 1 << 12)
  /// All entries of a range can be removed by one call.
  public static let rangeRemoval = EngineCapabilities(rawValue: 1 << 13)
  /// Views of all trees at one moment that may be kept.
  public static let snapshots = EngineCapabilities(rawValue: 1 << 14)
  /// Cursors over one moment of a range that move both ways.
  public static let cursors = EngineCapabilities(rawValue: 1 << 15)
}
