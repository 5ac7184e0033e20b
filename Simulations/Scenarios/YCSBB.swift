public import SimulationKit

extension Scenario {
  /// Read mostly.
  public static let ycsbB = Scenario(
    "ycsb-b", workload: .ycsb(.b), faults: [.crashes, .swarm])
}
