internal import EngineKit
internal import HistoryKit

/// Whether some order of a round's calls explains every answer and what was there afterwards.
extension InterleavingRun {
  /// `after` is what was seen with nothing under way, or recovered after a crash.
  func judgeRound(_ after: SmallMap.State, recovered: Bool) {
    let scansAreAtomic = factory.capabilities.contains(.snapshotScans)
    var together: [SmallMapSearch.Call] = []
    var all: [SmallMapSearch.Call] = []
    var isWeak: [Bool] = []
    var floor: UInt64 = 0
    var floorOfAll: UInt64 = 0
    let durableBefore = durableBefore
    for call in calls {
      guard let action = action(call) else {
        return fail(
          "linearizability",
          "\(Described.operation(call.operation)) showed keys that nobody wrote, or out of order")
      }
      if case .nothing = action { continue }
      let timed = TimedAction(action, invoked: call.invoked, returned: call.returned)
      var weak = false
      if case .scan = action { weak = !scansAreAtomic }
      let isDurable = call.returned < durableBefore
      if isDurable { floorOfAll |= 1 << UInt64(all.count) }
      all.append(timed)
      isWeak.append(weak)
      if weak { continue }
      if isDurable { floor |= 1 << UInt64(together.count) }
      together.append(timed)
    }
    if !recovered {
      let final = finalScan(after)
      together.append(final)
      all.append(final)
      isWeak.append(false)
    }
    let longest = SmallMapSearch.violation(
      together, from: state, recovered: recovered ? after : nil, floor: floor)
    if longest != nil { return report(after, recovered) }
    if !isWeak.contains(true) { return }
    // Scans that are not atomic: every key by itself must still have been read at some moment.
    if let place = SmallMapProjection.violation(
      all, isWeak: isWeak, from: state, recovered: recovered ? after : nil, floor: floorOfAll)
    {
      report(after, recovered, place: place)
    }
  }

  /// Calls that returned before this are durable: a flush that began then has returned.
  private var durableBefore: Int {
    var latest = -1
    for call in calls where call.operation == .flush && call.outcome == .done {
      latest = max(latest, call.invoked)
    }
    return latest
  }

  private func finalScan(_ after: SmallMap.State) -> SmallMapSearch.Call {
    var found: [SmallMap.Write] = []
    var place = 0
    while place < SmallMap.capacity {
      if after[place] != 0 { found.append(SmallMap.Write(place, after[place])) }
      place += 1
    }
    return TimedAction(
      .scan(lower: 0, upper: SmallMap.capacity, backward: false, limit: .max, found: found),
      invoked: events, returned: events + 1)
  }

  /// What a call did to the map; nil where its answer cannot be one.
  private func action(_ call: ProgramCall) -> SmallMap.Action? {
    if case .failure = call.outcome { return .nothing }
    switch call.operation {
    case .get(let key, let tree):
      guard case .value(let value) = call.outcome else { return .nothing }
      return .read(place(key, tree), found: world.number(value))
    case .insert(let value, let key, let tree):
      return .write(place(key, tree), value: world.number(value), found: found(call))
    case .remove(let key, let tree):
      return .write(place(key, tree), value: 0, found: found(call))
    case .compareExchange(let key, let expected, let desired, let tree):
      var answer: SmallMap.ExchangeAnswer?
      if case .exchange(let exchanged, let original) = call.outcome {
        answer = SmallMap.ExchangeAnswer(exchanged: exchanged, found: world.number(original))
      }
      return .exchange(
        place(key, tree), expected: world.number(expected), desired: world.number(desired),
        answer: answer)
    case .batch(let writes):
      return .batch(
        writes.map { SmallMap.Write(place($0.key, $0.tree), world.number($0.value)) })
    case .scan(let range, let direction, let limit, let tree):
      guard case .entries(let entries) = call.outcome else { return .nothing }
      guard let found = world.writes(entries, in: tree, backward: direction == .backward) else {
        return nil
      }
      let places = ProgramWorld.places(of: tree)
      return .scan(
        lower: range.lower.map { bound($0) } ?? places.lowerBound,
        upper: range.upper.map { bound($0) } ?? places.upperBound,
        backward: direction == .backward, limit: limit, found: found)
    case .flush, .checkpoint, .backgroundWork, .evict, .clean, .nextID, .count:
      return .nothing
    case .dropTree(let tree):
      if case .flag(false) = call.outcome { return .nothing }
      return .batch(ProgramWorld.places(of: tree).map { SmallMap.Write($0, 0) })
    }
  }

  private func found(_ call: ProgramCall) -> UInt16? {
    guard case .value(let value) = call.outcome else { return nil }
    return world.number(value)
  }

  private func place(_ key: Bytes, _ tree: TreeName) -> Int {
    ProgramWorld.place(key, in: tree) ?? 0
  }

  /// The place that a bound of a range names, which may be the one after the last.
  private func bound(_ key: Bytes) -> Int { Int(key[1] - 0x30) * 10 + Int(key[2] - 0x30) }

  private func report(_ after: SmallMap.State, _ recovered: Bool, place: Int? = nil) {
    var text = "no order explains "
    if let place { text += "key \(Described.bytes(ProgramWorld.key(place))) in " }
    text += calls.map { line($0) }.joined(separator: "; ")
    text += recovered ? "; then a crash left " : "; then "
    text += "{\(contents(after))}, from {\(contents(state))}"
    fail("linearizability", text)
  }

  private func line(_ call: ProgramCall) -> String {
    let times = "[\(call.invoked), \(call.returned == .max ? "?" : "\(call.returned)")]"
    let answer = call.outcome.map { Described.outcome($0) } ?? "unknown"
    return "t\(call.thread) \(Described.operation(call.operation)) -> \(answer) \(times)"
  }

  private func contents(_ state: SmallMap.State) -> String {
    var parts: [String] = []
    var place = 0
    while place < SmallMap.capacity {
      if state[place] != 0 {
        let key = Described.bytes(ProgramWorld.key(place))
        parts.append("\(key) = \(Described.bytes(world.bytes(state[place]) ?? []))")
      }
      place += 1
    }
    return parts.joined(separator: ", ")
  }
}
