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
    let writers = writers(of: found, in: log)
    var place = 0
    while place < log.operations.count {
      if log.operations[place].slots.count > 1, case .batch = log.operations[place].call.operation {
        check(place, found, writers, context)
      }
      place += 1
    }
  }

  /// For each key the operations that wrote the value found there: few, where values are unlike, so that
  /// looking at all batches stays linear in the writes.
  private func writers(of found: [Bytes?], in log: WriteLog) -> [[Int]] {
    var writers: [[Int]] = []
    writers.reserveCapacity(found.count)
    var slot = 0
    while slot < found.count {
      var matching: [Int] = []
      let writes = log.keys[slot].writes
      var place = 0
      while place < writes.count {
        if writes[place].value.isSame(as: found[slot]) { matching.append(writes[place].operation) }
        place += 1
      }
      writers.append(matching)
      slot += 1
    }
    return writers
  }

  /// Whether the log still holds the operation's write of a key; the missing ones are late ones.
  private func isKept(_ operation: Int, at slot: Int, in log: WriteLog) -> Bool {
    let writes = log.keys[slot].writes
    var place = writes.count - 1
    while place >= 0 && writes[place].operation != operation { place -= 1 }
    return place >= 0
  }

  private func check(
    _ operation: Int, _ found: [Bytes?], _ writers: [[Int]], _ context: JudgeContext
  ) {
    let log = context.writes
    let batch = log.operations[operation]
    var shown = -1
    var missing = -1
    for slot in batch.slots {
      var own = false
      var other = log.keys[slot].base.isSame(as: found[slot])
      var later = false
      for writer in writers[slot] {
        if writer == operation {
          own = true
        } else {
          other = true
          if log.operations[writer].returned > batch.call.invokedAt { later = true }
        }
      }
      if own && !other { shown = slot }
      if !own && !later && isKept(operation, at: slot, in: log) { missing = slot }
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
