internal import EngineKit

/// Recovering again, without an operation in between, shows the same contents, however often.
///
/// Sound: nobody asked for a change, and what a recovery showed is durable (see `Durability`). With rot met
/// in between, the contents may rightly differ, and nothing is said.
public final class RecoveryIdempotence: Checker {
  public let property = "recovery-idempotence"
  /// What the last recovery showed, until an operation is invoked.
  private var shown: RecoveredState?

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    switch event {
    case .invoked(let call):
      if call.operation.mayWrite { shown = nil }
    case .abandoned: shown = nil
    case .recovered(let state):
      let quiet = !context.faults.metLastingDamage && !context.isBeyondContract
      if quiet, let shown, let difference = difference(shown, state) {
        context.report(property, difference)
      }
      shown = state
    default: break
    }
  }

  private func difference(_ first: RecoveredState, _ second: RecoveredState) -> String? {
    for tree in first.trees {
      if let key = missing(tree.forward, from: second.entries(in: tree.name)) {
        return "\(Described.key(key, in: tree.name)) was lost or changed by a second recovery"
      }
    }
    for tree in second.trees {
      if let key = missing(tree.forward, from: first.entries(in: tree.name)) {
        return "\(Described.key(key, in: tree.name)) turned up in a second recovery"
      }
    }
    return nil
  }

  /// A key of `left` that `right` has not, or with another value.
  private func missing(_ left: [Entry], from right: [Entry]) -> Bytes? {
    var place = 0
    for entry in left {
      while place < right.count, right[place].key.order(against: entry.key) < 0 { place += 1 }
      guard place < right.count, right[place].key.isSame(as: entry.key),
        right[place].value.isSame(as: entry.value)
      else { return entry.key }
    }
    return nil
  }
}

extension Operation {
  /// False for those that never change the contents.
  var mayWrite: Bool {
    switch self {
    case .insert, .remove, .compareExchange, .batch, .dropTree: return true
    default: return false
    }
  }
}

extension CheckerPlan {
  public static let recoveryIdempotence = CheckerPlan(
    "recovery-idempotence", "Recovering twice shows the same contents."
  ) { RecoveryIdempotence() }
}
