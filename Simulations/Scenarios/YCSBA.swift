public import SimulationKit

extension Scenario {
  /// Update heavy: half reads, half updates.
  public static let ycsbA = Scenario(
    "ycsb-a", workload: .ycsb(.a), faults: [.crashes, .swarm])
}
