public import EngineKit
public import HistoryKit

/// A workload, the faults that it runs under, and what must hold: a plain value that reads like a sentence.
///
///     Scenario("bank-transfers", workload: .bankTransfers(accounts: 8, clients: 4),
///              faults: [.crashes, .swarm], checkers: [.durability, .conservedTotal])
public struct Scenario: Sendable {
  /// As given to `simulate run`.
  public var name: String
  public var workload: any Workload
  /// What may go wrong. Classes that are out of scope for the engine under test are never drawn.
  public var faults: [FaultRule]
  public var checkers: [CheckerPlan]
  public var cost: Cost
  /// True for a scenario that must be found invalid; `--all` leaves it out.
  public var mustFail: Bool
  /// A tape that ends well ends with an empty database, which must have given back its space.
  public var endsEmpty = false

  /// How much of a campaign's time a tape takes.
  public enum Cost: String, Sendable {
    /// Milliseconds a tape: in every campaign.
    case smoke
    /// Only in long campaigns, or by name.
    case long
  }

  public init(
    _ name: String, workload: some Workload, faults: [FaultRule],
    checkers: [CheckerPlan] = CheckerRegistry.standard, cost: Cost = .smoke, mustFail: Bool = false,
    endsEmpty: Bool = false
  ) {
    self.endsEmpty = endsEmpty
    self.name = name
    self.workload = workload
    self.faults = faults
    self.checkers = checkers
    self.cost = cost
    self.mustFail = mustFail
  }

  /// Why this engine cannot run this scenario, or nil when it can.
  public func obstacle(for factory: any EngineFactory) -> String? {
    let capabilities = factory.capabilities
    if !capabilities.contains(.simulatable) { return "\(factory.name) cannot be simulated" }
    if !capabilities.isSuperset(of: workload.requiredCapabilities) {
      return "\(factory.name) lacks what \(name) needs"
    }
    return workload.obstacle
  }
}

/// One thing that may go wrong in a scenario.
public enum FaultRule: Hashable, Sendable {
  /// Process kills and power losses between operations, inside them and during recoveries: one a tape at
  /// least, at most `crashesAtMost`.
  case crashes(atMost: Int)
  /// Each class that the engine's contract names is switched on or off for each tape, with a rarity drawn for it.
  case swarm
  /// This class in every tape, one in so many calls that could meet it.
  case always(FaultClass, oneIn: UInt64)
  /// This class in no tape.
  case never(FaultClass)

  /// As most scenarios have them.
  public static let crashes = FaultRule.crashes(atMost: 4)
}
