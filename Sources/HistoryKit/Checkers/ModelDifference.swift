internal import EngineKit

/// Every answer is one that an ordered map could have given.
///
/// Values are compared, of scans in both directions too. With one client at a time the check is exact. With several
/// it is an interval check: each key is a register, and an answer is legal when some write could
/// have been the last one at some moment between the invocation and the return.
///
/// Sound: a write is excluded only when another write *certainly took place* wholly between its
/// return and the invocation of the read; then no order of the operations that respects real time
/// lets the read find it. A write whose call failed without being refused, or has not returned, may take
/// place at any later time, and is never excluded. A scan promises only that it is in order, that each entry was there
/// at some moment of it, and that a key present throughout is met: absence is a violation
/// only where "nothing" is not a legal answer for that key over the whole scan.
/// After a recovery the model starts again from what was found, which `Durability` judges.
///
/// Of engines with `.snapshotScans` more is asked: all that a scan shows must have been there at one common moment
/// (`ModelDifference+Moments`).
public final class ModelDifference: Checker {
  public let property = "model-difference"
  var model = RegisterMap()

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    switch event {
    case .invoked(let call): begin(call)
    case .returned(let call, let outcome): end(call, outcome, context)
    case .recovered(let state):
      checkDirections(state, context)
      model = RegisterMap(state)
    case .abandoned: model = RegisterMap()
    default: break
    }
  }

  private func begin(_ call: Call) {
    switch call.operation {
    case .insert(let value, let key, let tree): model.begin(value, for: key, in: tree, call)
    case .remove(let key, let tree): model.begin(nil, for: key, in: tree, call)
    case .compareExchange(let key, _, let desired, let tree):
      model.begin(desired, for: key, in: tree, call)
    case .batch(let writes):
      for write in writes { model.begin(write.value, for: write.key, in: write.tree, call) }
    case .dropTree(let tree): model.beginDrop(of: tree, call)
    default: break
    }
  }

  private func end(_ call: Call, _ outcome: Outcome, _ context: JudgeContext) {
    if case .failure(_, _, let refused) = outcome {
      if refused { settle(call, took: false, context) }
      return
    }
    if context.isBeyondContract {
      settle(call, took: true, context)
      return
    }
    switch (call.operation, outcome) {
    case (.get(let key, let tree), .value(let value)):
      checkRead(value, key, tree, call, context)
    case (.insert(_, let key, let tree), .value(let value)),
      (.remove(let key, let tree), .value(let value)):
      checkRead(value, key, tree, call, context)
      settle(call, took: true, context)
    case (
      .compareExchange(let key, let expected, _, let tree), .exchange(let exchanged, let original)
    ):
      checkRead(original, key, tree, call, context)
      if exchanged != original.isSame(as: expected) {
        context.report(
          property,
          "\(Described.operation(call.operation)) says \(Described.outcome(outcome)), "
            + "which contradicts itself")
      }
      settle(call, took: exchanged, context)
    case (.dropTree(let tree), .flag(let existed)):
      if !existed { checkEmpty(tree, call, context) }
      settle(call, took: existed, context)
    case (.batch, .done): settle(call, took: true, context)
    case (.scan(let range, let direction, let limit, let tree), .entries(let entries)):
      checkScan(
        Scan(range: range, direction: direction, limit: limit, tree: tree, entries: entries),
        call, context)
    case (.count(let tree), .number(let number)): checkCount(number, tree, call, context)
    case (.flush, .done), (.checkpoint, .done), (.backgroundWork, .done), (.evict, .done),
      (.clean, .done), (.nextID, .identifier):
      break
    default:
      context.report(
        property,
        "\(Described.operation(call.operation)) was answered with \(Described.outcome(outcome))")
    }
  }

  /// Turns the writes of a call into certain ones, or takes them away.
  private func settle(_ call: Call, took: Bool, _ context: JudgeContext) {
    let earliest = context.earliestActive
    switch call.operation {
    case .insert(_, let key, let tree), .remove(let key, let tree),
      .compareExchange(let key, _, _, let tree):
      settle(model.slot(of: key, in: tree), call, took, earliest, context)
    case .batch(let writes):
      for write in writes {
        settle(model.slot(of: write.key, in: write.tree), call, took, earliest, context)
      }
    case .dropTree(let tree):
      model.endDrop(
        of: tree, call, took: took, at: context.sequence, earliestActive: earliest)
    default: break
    }
  }

  private func settle(
    _ slot: Int, _ call: Call, _ took: Bool, _ earliest: Int, _ context: JudgeContext
  ) {
    guard slot >= 0 else { return }
    if took {
      model.registers[slot].end(
        call: call.number, at: context.sequence, earliestActive: earliest)
    } else {
      model.registers[slot].cancel(call: call.number)
    }
  }

  private func checkRead(
    _ value: Bytes?, _ key: Bytes, _ tree: TreeName, _ call: Call, _ context: JudgeContext
  ) {
    let slot = model.slot(of: key, in: tree)
    if slot < 0 {
      if value == nil { return }
    } else if model.registers[slot].allows(value, invoked: call.invokedAt, except: call.number) {
      return
    }
    let expected = slot < 0 ? "nothing" : model.registers[slot].described(invoked: call.invokedAt)
    context.report(
      property,
      "\(Described.operation(call.operation)) found \(Described.value(value)) at "
        + "\(Described.key(key, in: tree)), which holds \(expected)")
  }

  /// A drop that says "no such tree" is wrong when a key was there throughout.
  private func checkEmpty(_ tree: TreeName, _ call: Call, _ context: JudgeContext) {
    let place = model.place(of: tree)
    guard place >= 0 else { return }
    let index = model.trees[place].index
    for (place, slot) in index.slots.enumerated()
    where !model.registers[slot].allows(nil, invoked: call.invokedAt, except: call.number) {
      context.report(
        property,
        "\(Described.operation(call.operation)) found no tree, which holds "
          + Described.key(index.keys[place], in: tree))
      return
    }
  }
}

extension CheckerPlan {
  public static let modelDifference = CheckerPlan(
    "model-difference", "Every answer is one that an ordered map could have given."
  ) { ModelDifference() }
}
