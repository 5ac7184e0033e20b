public import SimulationKit

extension Scenario {
  /// Batches survive whole or not at all.
  public static let batches = Scenario(
    "batches", workload: .batches, faults: [.crashes, .swarm])
}
