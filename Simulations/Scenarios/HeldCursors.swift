public import SimulationKit

extension Scenario {
  /// What a cursor shows stays, however late it is read.
  public static let heldCursors = Scenario(
    "held-cursors", workload: .heldCursors, faults: [.crashes, .swarm])
}
