internal import EngineKit

/// All entries of one scan, and all absences, at one moment.
///
/// Each key's answer gives the moments at which it may have been true; the moments of all keys must have one in
/// common, between the invocation of the scan and its return; of a cursor, its making.
///
/// Sound: a right scan has such a moment, the one at which it took effect. Then the write that each answer comes
/// from had begun, and no write that began after that one had returned has returned itself. A batch that a
/// scan shows anywhere has taken place whole, so nothing that had returned before it began is still there.
extension ModelDifference {
  /// `places` are those of the tree's keys that the scan covered, `entries` what it showed there, ascending.
  func checkMoment(
    _ tree: Int, _ places: Range<Int>, _ entries: [Entry], _ call: Call, _ context: JudgeContext
  ) {
    let index = model.trees[tree].index
    let shown = batchesShown(index, places, entries)
    var common = [Register.Moments(after: call.invokedAt, before: context.snapshotEnd(of: call))]
    var next = 0
    for place in places {
      let slot = index.slots[place]
      var value: Bytes?
      if next < entries.count, index.keys[place].isSame(as: entries[next].key) {
        value = entries[next].value
        next += 1
      }
      // What is settled has been so since before the scan began, or since a write that overlapped it.
      let register = model.registers[slot]
      if register.isSettled && register.candidates[0].invoked < call.invokedAt { continue }
      common = Register.Moments.common(
        common, register.moments(of: value, invoked: call.invokedAt, shown: shown))
      if common.isEmpty {
        report(
          call,
          "showed \(Described.value(value)) at \(Described.bytes(index.keys[place])), which was not there "
            + "at any moment at which all before it were", context)
        return
      }
    }
  }

  /// The calls of batches under way beside the scan of which it shows a value that no other write has.
  private func batchesShown(
    _ index: KeyIndex, _ places: Range<Int>, _ entries: [Entry]
  ) -> [Int] {
    var shown: [Int] = []
    var next = 0
    for place in places where next < entries.count {
      guard index.keys[place].isSame(as: entries[next].key) else { continue }
      let register = model.registers[index.slots[place]]
      if !register.isSettled, let call = register.onlyWriter(of: entries[next].value),
        !shown.contains(call)
      {
        shown.append(call)
      }
      next += 1
    }
    return shown
  }
}
