public import SimulationKit

extension Scenario {
  /// One writer round a ring: what survives is a prefix.
  public static let sequentialWrites = Scenario(
    "sequential-writes", workload: .sequentialWrites, faults: [.crashes, .swarm])
}
