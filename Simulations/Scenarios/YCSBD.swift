public import SimulationKit

extension Scenario {
  /// Reads of the latest.
  public static let ycsbD = Scenario(
    "ycsb-d", workload: .ycsb(.d), faults: [.crashes, .swarm])
}
