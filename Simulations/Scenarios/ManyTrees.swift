public import SimulationKit

extension Scenario {
  /// Trees that come and go.
  public static let manyTrees = Scenario(
    "many-trees", workload: .manyTrees, faults: [.crashes, .swarm])
}
