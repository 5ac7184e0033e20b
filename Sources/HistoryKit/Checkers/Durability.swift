internal import EngineKit

/// What was acknowledged and flushed is there after a crash, and nothing was invented.
///
/// Judged key by key, so it holds for every engine. What was demanded once stays demanded: the contents that
/// a recovery showed must survive the next crash too, since clients have seen them.
///
/// Sound: the value found must come from some write of that key (or from the last recovery). It is refused
/// only when a write that is durable began after that one had returned: then every order that respects
/// real time puts the durable one later, and it cannot have been lost. A write whose outcome is unknown
/// may have taken place at any later time and is never refused. With bit rot met, see `DurabilityFloor`.
public final class Durability: Checker {
  public let property = "durability"

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    guard case .recovered(let state) = event else { return }
    let floor = DurabilityFloor(context)
    guard floor.isJudgeable else { return }
    let log = context.writes
    let (found, strangers) = log.resolve(state)
    for (tree, entry) in strangers {
      context.report(
        property,
        "\(Described.key(entry.key, in: tree)) was never written, and holds "
          + "\(Described.bytes(entry.value)) after recovery")
    }
    var slot = 0
    while slot < log.keys.count {
      check(slot, found[slot], floor, context)
      slot += 1
    }
  }

  private func check(
    _ slot: Int, _ found: Bytes?, _ floor: DurabilityFloor, _ context: JudgeContext
  ) {
    let log = context.writes
    let record = log.keys[slot]
    // The last durable write replaced for certain whatever had returned before it began.
    var durable = -1
    var place = record.writes.count - 1
    while place >= 0 {
      if floor.demands(log.operations[record.writes[place].operation]) {
        durable = place
        break
      }
      place -= 1
    }
    let replaced = durable < 0 ? -1 : invocation(record.writes[durable], log)
    if durable < 0, record.basePossible, record.base.isSame(as: found) { return }
    for write in record.writes
    where log.operations[write.operation].returned >= replaced && write.value.isSame(as: found) {
      return
    }
    let name = Described.key(record.key, in: record.tree)
    if durable >= 0 {
      let call = log.operations[record.writes[durable].operation].call
      context.report(
        property,
        "\(name) lost: \(Described.operation(call.operation)), invoked at step "
          + "\(call.invokedStep) and made durable, but recovery found \(Described.value(found))")
    } else {
      context.report(
        property,
        "\(name) held \(Described.value(record.base)) for certain, and no write since explains "
          + "\(Described.value(found)) after recovery")
    }
  }

  private func invocation(_ write: WriteLog.Write, _ log: WriteLog) -> Int {
    log.operations[write.operation].call.invokedAt
  }
}

extension CheckerPlan {
  public static let durability = CheckerPlan(
    "durability", "What was acknowledged and flushed survives a crash; nothing is invented."
  ) { Durability() }
}
