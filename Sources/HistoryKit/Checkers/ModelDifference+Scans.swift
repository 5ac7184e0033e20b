internal import EngineKit

/// Scans and counts against the model.
extension ModelDifference {
  struct Scan {
    var range: KeyRange
    var direction: Direction
    var limit: Int
    var tree: TreeName
    var entries: [Entry]
  }

  /// Order and bounds first; then one walk over the model's keys in the part that the scan covered.
  func checkScan(_ scan: Scan, _ call: Call, _ context: JudgeContext) {
    if let fault = shapeFault(scan) {
      context.report(property, "\(Described.operation(call.operation)) \(fault)")
      return
    }
    let entries = scan.direction == .forward ? scan.entries : scan.entries.reversed()
    var covered = scan.range
    if entries.count == max(0, scan.limit) {
      // The limit cut it: nothing is said about what lies behind the last entry.
      guard let first = entries.first, let last = entries.last else { return }
      if scan.direction == .forward {
        covered.upper = last.key + [0]
      } else {
        covered.lower = first.key
      }
    }
    let tree = model.place(of: scan.tree)
    let places = tree < 0 ? 0..<0 : model.trees[tree].index.places(in: covered)
    var place = places.lowerBound
    var next = 0
    while place < places.upperBound || next < entries.count {
      let order: Int
      if place == places.upperBound {
        order = 1
      } else if next == entries.count {
        order = -1
      } else {
        order = model.trees[tree].index.keys[place].order(against: entries[next].key)
      }
      if order > 0 {
        report(call, "found \(Described.bytes(entries[next].key)), never written", context)
        return
      }
      let slot = model.trees[tree].index.slots[place]
      let value: Bytes? = order == 0 ? entries[next].value : nil
      if !model.registers[slot].allows(value, invoked: call.invokedAt) {
        let key = Described.bytes(model.trees[tree].index.keys[place])
        let held = model.registers[slot].described(invoked: call.invokedAt)
        if order == 0 {
          report(call, "found \(Described.value(value)) at \(key), which holds \(held)", context)
        } else {
          report(call, "passed over \(key), which holds \(held)", context)
        }
        return
      }
      place += 1
      if order == 0 { next += 1 }
    }
    guard tree >= 0, context.capabilities.contains(.snapshotScans) else { return }
    checkMoment(tree, places, entries, call, context)
  }

  func report(_ call: Call, _ what: String, _ context: JudgeContext) {
    context.report(property, "\(Described.operation(call.operation)) \(what)")
  }

  /// What is wrong with the shape of a scan, whatever the contents.
  private func shapeFault(_ scan: Scan) -> String? {
    let entries = scan.entries
    if entries.count > max(0, scan.limit) {
      return "returned \(entries.count) entries, more than its limit"
    }
    var place = 0
    while place < entries.count {
      if !scan.range.contains(entries[place].key) {
        return "returned \(Described.bytes(entries[place].key)), outside its range"
      }
      if place > 0 {
        let order = entries[place - 1].key.order(against: entries[place].key)
        if order == 0 { return "returned \(Described.bytes(entries[place].key)) twice" }
        if (order < 0) != (scan.direction == .forward) {
          return "returned \(Described.bytes(entries[place].key)) out of order"
        }
      }
      place += 1
    }
    return nil
  }

  /// A count lies between the keys certainly there and the keys possibly there. Each write under way
  /// beside it may be missed or counted early, even where a later one shows that it has taken place:
  /// engines keep one number beside the map. Where nothing else is under way, a count is exact.
  func checkCount(_ number: Int, _ tree: TreeName, _ call: Call, _ context: JudgeContext) {
    var least = 0
    var most = 0
    var slack = 0
    let place = model.place(of: tree)
    if place >= 0 {
      let slots = model.trees[place].index.slots
      var index = 0
      while index < slots.count {
        let slot = slots[index]
        if model.registers[slot].isSettled {
          if model.registers[slot].settled != nil {
            least += 1
            most += 1
          }
        } else {
          if !model.registers[slot].allows(nil, invoked: call.invokedAt) { least += 1 }
          if model.registers[slot].allowsPresence(invoked: call.invokedAt) { most += 1 }
          slack += model.registers[slot].writes(besides: call.invokedAt)
        }
        index += 1
      }
    }
    least = max(0, least - slack)
    most += slack
    if number < least || number > most {
      let held = least == most ? "\(least)" : "\(least) to \(most)"
      report(call, "answered \(number) where there are \(held)", context)
    }
  }

  /// After a recovery, both directions show the same entries, in order.
  func checkDirections(_ state: RecoveredState, _ context: JudgeContext) {
    if context.isBeyondContract { return }
    for tree in state.trees {
      let whole = Scan(
        range: .all, direction: .forward, limit: .max, tree: tree.name, entries: tree.forward)
      if let fault = shapeFault(whole) {
        context.report(property, "after recovery, a forward scan of \"\(tree.name)\" \(fault)")
        continue
      }
      let count = tree.forward.count
      var same = tree.backward.count == count
      var place = 0
      while same, place < count {
        let left = tree.forward[place]
        let right = tree.backward[count - 1 - place]
        same = left.key.isSame(as: right.key) && left.value.isSame(as: right.value)
        place += 1
      }
      if !same {
        context.report(
          property,
          "after recovery, a backward scan of \"\(tree.name)\" shows \(tree.backward.count) entries, "
            + "not the \(count) of a forward one reversed")
      }
    }
  }
}
