public import SimulationKit

extension Scenario {
  /// What is on disk is soon out of date, and its space used again.
  public static let overwrites = Scenario(
    "overwrites", workload: .overwrites, faults: [.crashes, .swarm])
}
