public import SimulationKit

extension Scenario {
  /// Everything that the engine can do.
  public static let randomTorture = Scenario(
    "random-torture", workload: .randomTorture, faults: [.crashes, .swarm])
}
