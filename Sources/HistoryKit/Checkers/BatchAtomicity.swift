internal import EngineKit

/// After a crash, all writes of a batch are there, or none.
///
/// A batch *shows* when a key holds its value and no other write of that key, nor the last recovery, has that
/// value. It is *missing* when a key holds a value that neither the batch nor any write that could come after it has.
/// A batch that shows and is missing was torn.
///
/// Sound: if it shows, it took place. If it took place whole, each of its keys holds its value or that of
/// a write ordered after it; a write that had returned before the batch was invoked is not.
public final class BatchAtomicity: Checker {
  public let property = "batch-atomicity"

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    guard case .recovered(let state) = event, !context.isBeyondContract else { return }
    let log = context.writes
    let found = log.resolve(state).found
    var place = 0
    while place < log.operations.count {
      if log.operations[place].slots.count > 1, case .batch = log.operations[place].call.operation {
        check(place, found, context)
      }
      place += 1
    }
  }

  private func check(_ operation: Int, _ found: [Bytes?], _ context: JudgeContext) {
    let log = context.writes
    let batch = log.operations[operation]
    var shown = -1
    var missing = -1
    for slot in batch.slots {
      let value = found[slot]
      var own = false
      var other = log.keys[slot].base.isSame(as: value)
      var later = false
      for write in log.keys[slot].writes where write.value.isSame(as: value) {
        if write.operation == operation {
          own = true
        } else {
          other = true
          if log.operations[write.operation].returned > batch.call.invokedAt { later = true }
        }
      }
      if own && !other { shown = slot }
      if !own && !later && log.keys[slot].writes.contains(where: { $0.operation == operation }) {
        missing = slot
      }
    }
    guard shown >= 0, missing >= 0 else { return }
    let here = log.keys[shown]
    let gone = log.keys[missing]
    context.report(
      property,
      "a batch of \(batch.slots.count) writes (client \(batch.call.client), step "
        + "\(batch.call.invokedStep)) was torn: \(Described.key(here.key, in: here.tree)) is there, "
        + "\(Described.key(gone.key, in: gone.tree)) is not")
  }
}

extension CheckerPlan {
  public static let batchAtomicity = CheckerPlan(
    "batch-atomicity", "After a crash, all writes of a batch are there, or none."
  ) { BatchAtomicity() }
}
