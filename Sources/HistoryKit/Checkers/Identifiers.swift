internal import EngineKit

/// Ids are unique, and each is larger than any returned before its call began, across crashes too.
///
/// Sound: both are promised for every id that a client got. An id lost in a crash before its
/// call returned was seen by nobody.
public final class Identifiers: Checker {
  public let property = "identifiers"
  /// The largest id returned so far.
  private var largest: UInt64?
  /// For each call under way, `largest` at its invocation.
  private var open: [(call: Call, floor: UInt64?)] = []
  /// Ids that a call under way could still be given again without breaking the order.
  private var recent: [UInt64] = []

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    switch event {
    case .invoked(let call):
      if case .nextID = call.operation { open.append((call, largest)) }
    case .returned(let call, let outcome):
      guard case .nextID = call.operation,
        let place = open.firstIndex(where: { $0.call === call })
      else { return }
      let floor = open.remove(at: place).floor
      if case .identifier(let id) = outcome { check(id, floor, context) }
    case .crashed: open.removeAll(keepingCapacity: true)
    case .abandoned:
      open.removeAll(keepingCapacity: true)
      recent.removeAll(keepingCapacity: true)
      largest = nil
    default: break
    }
  }

  private func check(_ id: UInt64, _ floor: UInt64?, _ context: JudgeContext) {
    // A reservation is as durable as a flush: where syncs lie, it may be lost.
    let mayLose =
      context.contract[.lyingSync] == .mayLose && context.faults.metSinceCreation(.lyingSync)
    if !context.isBeyondContract && !mayLose {
      if let floor, id <= floor {
        context.report(property, "id \(id) was given out after \(floor) had been returned")
      } else if recent.contains(id) {
        context.report(property, "id \(id) was given out twice")
      }
    }
    largest = max(largest ?? 0, id)
    recent.append(id)
    // Calls under way must get ids above the least floor: what is not above it is judged by that.
    var least = largest ?? 0
    for one in open {
      guard let floor = one.floor else { return }
      least = min(least, floor)
    }
    recent.removeAll { $0 <= least }
  }
}

extension CheckerPlan {
  public static let identifiers = CheckerPlan(
    "identifiers", "Ids are unique and grow, across crashes too."
  ) { Identifiers() }
}
