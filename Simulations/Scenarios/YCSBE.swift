public import SimulationKit

extension Scenario {
  /// Short scans.
  public static let ycsbE = Scenario(
    "ycsb-e", workload: .ycsb(.e), faults: [.crashes, .swarm])
}
