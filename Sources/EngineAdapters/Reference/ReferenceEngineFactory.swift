public import EngineKit
public import Platform

/// Makes reference engines.
public struct ReferenceEngineFactory: EngineFactory {
  public let name = "reference"
  public let capabilities: EngineCapabilities = [
    .namedTrees, .compareExchange, .batches, .crossTreeBatches, .identifiers, .concurrentClients,
    .snapshotScans, .checkpoints, .simulatable, .prefixDurability, .treeRemoval,
    .pops, .rangeRemoval, .snapshots, .cursors,
  ]
  public let faultContract = FaultContract([
    .processKill: .survives, .powerLoss: .survives, .droppedWrite: .survives,
    .tornWrite: .survives, .reorderedWrite: .survives, .lostLength: .survives,
    .lostDirectoryEntry: .survives, .latency: .survives, .faultPointDelay: .survives,
    .faultPointKill: .survives,
    .readError: .reports, .writeError: .reports, .noSpace: .reports, .shortRead: .reports,
    .shortWrite: .reports, .syncFailure: .reports, .bitRot: .reports, .faultPointError: .reports,
    .misdirectedRead: .reports, .misdirectedWrite: .reports, .staleRead: .reports,
    .latentSectorError: .reports, .stuckCall: .survives, .lyingSync: .mayLose,
  ])
  public let faultPoints = ["reference.write", "reference.rename"]
  public let probes = ["reference.written"]

  public init() {}

  public func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    try ReferenceEngine(directory, on: platform)
  }
}
