public import SimulationKit

extension Scenario {
  /// Read-modify-write.
  public static let ycsbF = Scenario(
    "ycsb-f", workload: .ycsb(.f), faults: [.crashes, .swarm])
}
