/// Forgets what no crash can bring back, so that the log is bounded by what was written between two
/// flushes, however long the run.
extension WriteLog {
  /// Drops writes that a sure write has replaced for certain, and operations that no key names any more.
  /// Afterwards every question of a checker has the answer that it had before.
  func compact() {
    var slot = 0
    while slot < keys.count {
      compactKey(slot)
      slot += 1
    }
    var moved = [Int](repeating: -1, count: operations.count)
    var kept: [OperationRecord] = []
    var place = 0
    while place < operations.count {
      let record = operations[place]
      if record.references > 0 || !isSure(record) {
        moved[place] = kept.count
        kept.append(record)
      }
      place += 1
    }
    operations = kept
    slot = 0
    while slot < keys.count {
      var index = 0
      while index < keys[slot].writes.count {
        keys[slot].writes[index].operation = moved[keys[slot].writes[index].operation]
        index += 1
      }
      slot += 1
    }
    pending = pending.map { moved[$0] }
    openDrops = openDrops.map { moved[$0] }
    compactAt = max(1024, operations.count * 2)
  }

  private func isSure(_ record: OperationRecord) -> Bool {
    record.isEffective && record.returned < sureBefore
  }

  private func compactKey(_ slot: Int) {
    // The last invocation of a sure write: whatever returned before it was replaced.
    var replacing = -1
    for write in keys[slot].writes.reversed() where isSure(operations[write.operation]) {
      replacing = operations[write.operation].call.invokedAt
      break
    }
    guard replacing >= 0 else { return }
    keys[slot].basePossible = false
    var kept: [Write] = []
    for write in keys[slot].writes {
      if operations[write.operation].returned < replacing {
        operations[write.operation].references -= 1
      } else {
        kept.append(write)
      }
    }
    // A sure write that all others follow becomes the base.
    if let first = kept.first, isSure(operations[first.operation]) {
      let returned = operations[first.operation].returned
      if kept.dropFirst().allSatisfy({ operations[$0.operation].call.invokedAt > returned }) {
        keys[slot].base = first.value
        keys[slot].basePossible = true
        operations[first.operation].references -= 1
        kept.removeFirst()
      }
    }
    keys[slot].writes = kept
  }
}
