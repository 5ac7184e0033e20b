public import SimulationKit

extension Scenario {
  /// Values that need pages of their own.
  public static let largeValues = Scenario(
    "large-values", workload: .largeValues, faults: [.crashes, .swarm])
}
