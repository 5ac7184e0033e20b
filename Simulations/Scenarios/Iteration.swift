public import SimulationKit

extension Scenario {
  /// Scans both ways while keys come and go.
  public static let iteration = Scenario(
    "iteration", workload: .iteration, faults: [.crashes, .swarm])
}
