internal import EngineKit

/// What survives a crash is a prefix of the commit order: no hole. For engines with the capability
/// `.prefixDurability`; for others it says nothing.
///
/// The commit order is not known, but it respects real time: if `b` survives and `a` had returned before
/// `b` was invoked, `a` survives. So the check asks whether *some* set of survivors that is closed
/// under this rule, and holds everything durable, explains every value found. Keys whose writes
/// were all one after another are used (with clients that own their keys, all); on others the order is unknown and
/// `Durability` alone judges. One operation, a batch too, survives whole or not at all.
///
/// Why the greatest set is enough. If two closed sets explain the values found, so does their
/// union: on each key both hold a prefix of its writes, so the union ends with one of the two last writes.
/// Hence start with all, and take away only what cannot stay: a key's last survivor with a value
/// that was not found, and whatever was invoked after a casualty had returned. What remains contains every
/// explanation. If something durable had to go, or a key has no explanation left, there is none.
///
/// Sound: only orders that respect real time are excluded, and every right engine commits in such an
/// order. A write with an unknown outcome has no return, so its loss takes nothing with it; if it is not
/// the last of its key, the key's order is unknown and the key is not used.
public final class PrefixDurability: Checker {
  public let property = "prefix-durability"

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    guard case .recovered(let state) = event else { return }
    guard context.capabilities.contains(.prefixDurability) else { return }
    let floor = DurabilityFloor(context)
    guard floor.isJudgeable else { return }
    var search = SurvivorSearch(context.writes, found: context.writes.resolve(state).found, floor)
    if let hole = search.run() { context.report(property, hole) }
  }
}

/// The search for the greatest set of survivors.
///
/// Invariants: an operation is alive when it is not in `casualties` and was invoked no later than
/// `horizon`; `last[slot]` is the place of the key's last write not yet known dead, -1 for the base.
private struct SurvivorSearch {
  let log: WriteLog
  let found: [Bytes?]
  let floor: DurabilityFloor
  var casualties: [Bool]
  /// The least return of a casualty.
  var horizon = Int.max
  /// The casualty that set the horizon, and the key that proves it lost.
  var reason = -1
  var last: [Int]

  init(_ log: WriteLog, found: [Bytes?], _ floor: DurabilityFloor) {
    self.log = log
    self.found = found
    self.floor = floor
    casualties = [Bool](repeating: false, count: log.operations.count)
    last = [Int](repeating: -2, count: log.keys.count)
    var slot = 0
    while slot < log.keys.count {
      if isOrdered(log.keys[slot]) { last[slot] = log.keys[slot].writes.count - 1 }
      slot += 1
    }
  }

  /// What is wrong; nil when an explanation exists.
  mutating func run() -> String? {
    var changed = true
    while changed {
      changed = false
      var slot = 0
      while slot < last.count {
        if last[slot] >= -1 {
          switch settle(slot) {
          case .same: break
          case .changed: changed = true
          case .impossible(let why): return why
          }
        }
        slot += 1
      }
    }
    var place = 0
    while place < log.operations.count {
      let record = log.operations[place]
      if record.call.invokedAt > horizon, floor.demands(record) {
        return "\(loss()) is lost, but the later \(named(record)) was made durable"
      }
      place += 1
    }
    return nil
  }

  private enum Step {
    case same
    case changed
    case impossible(String)
  }

  /// Takes away survivors of one key until its value is explained.
  private mutating func settle(_ slot: Int) -> Step {
    let record = log.keys[slot]
    var changed = false
    while true {
      let place = last[slot]
      if place < 0 {
        if record.basePossible, record.base.isSame(as: found[slot]) {
          return changed ? .changed : .same
        }
        return .impossible(hole(at: record, slot))
      }
      let write = record.writes[place]
      let operation = log.operations[write.operation]
      if !casualties[write.operation], operation.call.invokedAt <= horizon {
        if write.value.isSame(as: found[slot]) { return changed ? .changed : .same }
        if floor.demands(operation) { return .impossible(hole(at: record, slot)) }
        casualties[write.operation] = true
        changed = true
        if operation.returned < horizon {
          horizon = operation.returned
          reason = write.operation
        }
      }
      last[slot] = place - 1
    }
  }

  private func hole(at record: WriteLog.KeyRecord, _ slot: Int) -> String {
    let what =
      "\(Described.key(record.key, in: record.tree)) holds \(Described.value(found[slot]))"
    if reason < 0 { return "\(what), which no prefix of the operations leaves" }
    return "\(loss()) is lost, but a later operation survives: \(what)"
  }

  /// The operation whose loss set the horizon, in words: only a violation needs them.
  private func loss() -> String { reason < 0 ? "something" : named(log.operations[reason]) }

  private func named(_ record: WriteLog.OperationRecord) -> String {
    "\(Described.operation(record.call.operation)) (client \(record.call.client), step "
      + "\(record.call.invokedStep))"
  }

  /// True when each write of the key had returned before the next was invoked.
  private func isOrdered(_ record: WriteLog.KeyRecord) -> Bool {
    var place = 1
    while place < record.writes.count {
      let before = log.operations[record.writes[place - 1].operation].returned
      let after = log.operations[record.writes[place].operation].call.invokedAt
      if before > after { return false }
      place += 1
    }
    return true
  }
}

extension CheckerPlan {
  public static let prefixDurability = CheckerPlan(
    "prefix-durability", "What survives a crash is a prefix of the commit order, without a hole."
  ) { PrefixDurability() }
}
