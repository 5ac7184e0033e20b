public import SimulationKit

extension Scenario {
  /// Read only, after a load.
  public static let ycsbC = Scenario(
    "ycsb-c", workload: .ycsb(.c), faults: [.crashes, .swarm])
}
