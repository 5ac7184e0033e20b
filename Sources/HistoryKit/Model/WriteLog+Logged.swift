internal import EngineKit

/// What an engine cannot have done without a record in its log.
extension WriteLog {
  /// Whether the operation, which has just returned, changed something for certain: removing nothing, and writing a
  /// value that was there, need no record.
  func isLogged(_ operation: Int, _ outcome: Outcome) -> Bool {
    switch operations[operation].call.operation {
    case .insert(let value, _, _):
      if case .value(let former?) = outcome { return former != value }
      return true
    case .remove:
      if case .value(nil) = outcome { return false }
      return true
    case .compareExchange(_, let expected, let desired, _): return expected != desired
    // It does not say what it found.
    case .batch: return operations[operation].slots.contains { changes(operation, slot: $0) }
    default: return true
    }
  }

  /// Whether the operation's write of a key changed its value for certain: false where nobody knows what it found,
  /// because writes of the key overlap.
  private func changes(_ operation: Int, slot: Int) -> Bool {
    let record = keys[slot]
    guard let last = record.writes.last, last.operation == operation else { return false }
    var former = record.base
    var isKnown = record.basePossible
    // Ascending in invocation; each must have returned before the next one began.
    var returned = -1
    for write in record.writes {
      if returned > operations[write.operation].call.invokedAt { return false }
      returned = operations[write.operation].returned
      if write.operation == operation { return isKnown && former != write.value }
      former = write.value
      isKnown = true
    }
    return false
  }
}
