public import SimulationKit

extension Scenario {
  /// Must be found invalid: else the harness checks nothing.
  public static let canary = Scenario(
    "canary", workload: .canary, faults: [.crashes, .swarm], mustFail: true)
}
