public import SimulationKit

extension Scenario {
  /// A tree is filled and emptied in turns.
  public static let fillAndEmpty = Scenario(
    "fill-and-empty", workload: .fillAndEmpty, faults: [.crashes, .swarm],
    endsEmpty: true)
}
