internal import HistoryKit
public import SimulationKit

extension Scenario {
  /// No crash makes or loses money.
  public static let bankTransfers = Scenario(
    "bank-transfers", workload: .bankTransfers(accounts: 8, clients: 4),
    faults: [.crashes, .swarm],
    checkers: CheckerRegistry.standard + [.conservedTotal(accounts: 8)])
}
