/// Whether a whole history is linearizable.
public struct HistoryVerdict: Sendable, Equatable {
  public enum Kind: String, Sendable {
    case valid, invalid, unknown
  }

  public var kind: Kind
  /// Where it is not: the event that makes it so. All events before it are the longest prefix that is linearizable.
  public var event: Int?
  /// The call that returned there.
  public var call: Int?

  public static let valid = HistoryVerdict(kind: .valid)
  public static let unknown = HistoryVerdict(kind: .unknown)
}

/// Checks histories of registers and ordered maps. Keys that no batch and no scan connects are looked at one by one:
/// a history is linearizable exactly if it is for each part (Herlihy and Wing's locality). A part of one key
/// in which every value was written once is decided by its zones, any other by search.
public struct HistoryCheck {
  public typealias Call = TimedAction<KeyedAction>

  private let calls: [Call]
  private let keys: Int
  private let values: Int
  private let events: Int
  private let mostPossibilities: Int
  private let isLate: () -> Bool
  /// By key: another key of the same part, in the end the part's least.
  private var parts: [Int32]

  /// - Parameters:
  ///   - calls: in any order; times are below `events`, keys below `keys`, values below `values`.
  ///   - mostPossibilities: of a search at one event: what is beyond is unknown.
  ///   - isLate: asked now and then; once it says so the answer is unknown.
  public init(
    _ calls: [Call], keys: Int, values: Int, events: Int, mostPossibilities: Int = 1 << 20,
    isLate: @escaping () -> Bool = { false }
  ) {
    self.calls = calls
    self.keys = keys
    self.values = values
    self.events = events
    self.mostPossibilities = mostPossibilities
    self.isLate = isLate
    parts = (0..<Int32(keys)).map { $0 }
  }

  public mutating func verdict() -> HistoryVerdict {
    for call in calls { connect(call.action) }
    var worst = HistoryVerdict.valid
    for part in distribute() {
      if part.calls.isEmpty { continue }
      let verdict = verdict(of: part)
      switch (verdict.kind, worst.kind) {
      case (.invalid, .invalid):
        if let event = verdict.event, let known = worst.event, event < known { worst = verdict }
      case (.invalid, _), (.unknown, .valid): worst = verdict
      default: break
      }
      if worst.kind == .unknown && isLate() { return worst }
    }
    return worst
  }

  // MARK: Parts

  private mutating func root(_ key: Int32) -> Int32 {
    var key = key
    while parts[Int(key)] != key {
      parts[Int(key)] = parts[Int(parts[Int(key)])]
      key = parts[Int(key)]
    }
    return key
  }

  private mutating func connect(_ one: Int32, _ other: Int32) {
    let (left, right) = (root(one), root(other))
    parts[Int(max(left, right))] = min(left, right)
  }

  private mutating func connect(_ action: KeyedAction) {
    switch action {
    case .point: break
    case .batch(let writes):
      for write in writes.dropFirst() { connect(writes[0].key, write.key) }
    case .scan(let lower, let upper, _, _, _):
      var key = lower
      while key + 1 < upper {
        connect(key, key + 1)
        key += 1
      }
    }
  }

  /// Some keys, and what happened to them.
  private struct Part {
    var keys: [Int32] = []
    /// Places in the history's calls.
    var calls: [Int32] = []
    /// By time in this part: time in the history.
    var times: [Int32] = []
    /// Times in this part.
    var invoked: [Int32] = []
    var returned: [Int32] = []
  }

  private mutating func distribute() -> [Part] {
    var numbers = [Int32](repeating: -1, count: keys)
    var partOf: [Int32] = []
    var all: [Part] = []
    var key: Int32 = 0
    while key < Int32(keys) {
      let root = root(key)
      if numbers[Int(root)] < 0 {
        numbers[Int(root)] = Int32(all.count)
        all.append(Part())
      }
      partOf.append(numbers[Int(root)])
      all[Int(numbers[Int(root)])].keys.append(key)
      key += 1
    }
    // By time: 2 x place of the call, and 1 for its return; -1: nothing.
    var happenings = [Int32](repeating: -1, count: events)
    for (place, call) in calls.enumerated() {
      happenings[call.invoked] = Int32(2 * place)
      if !call.isOptional { happenings[call.returned] = Int32(2 * place + 1) }
    }
    var placeInPart = [Int32](repeating: -1, count: calls.count)
    for (time, happening) in happenings.enumerated() where happening >= 0 {
      let place = Int(happening / 2)
      guard let key = HistoryCheck.firstKey(calls[place].action) else { continue }
      let part = Int(partOf[Int(key)])
      let now = Int32(all[part].times.count)
      all[part].times.append(Int32(time))
      if happening % 2 == 0 {
        placeInPart[place] = Int32(all[part].calls.count)
        all[part].calls.append(Int32(place))
        all[part].invoked.append(now)
        all[part].returned.append(.max)
      } else {
        all[part].returned[Int(placeInPart[place])] = now
      }
    }
    return all
  }

  /// Nil: it touches nothing.
  private static func firstKey(_ action: KeyedAction) -> Int32? {
    switch action {
    case .point(let key, _, _, _): key
    case .batch(let writes): writes.first?.key
    case .scan(let lower, let upper, _, _, _): lower < upper ? lower : nil
    }
  }

  // MARK: One part

  private func verdict(of part: Part) -> HistoryVerdict {
    if let registers = registerCalls(part) {
      if var zones = RegisterZones(registers, values: values, events: part.times.count) {
        let prefix = zones.longestPrefix()
        return prefix == part.times.count ? .valid : invalid(part, at: prefix)
      }
      let timed = registers.map {
        TimedAction($0, invoked: Int($0.invoked), returned: $0.isOptional ? .max : Int($0.returned))
      }
      var search = FrontierSearch(
        RegisterModel(), timed, mostPossibilities: mostPossibilities, isLate: isLate)
      return verdict(search.search(from: 0), part)
    }
    var local = [Int32](repeating: 0, count: Int(part.keys[part.keys.count - 1]) + 2)
    for (number, key) in part.keys.enumerated() {
      local[Int(key)] = Int32(number)
      local[Int(key) + 1] = Int32(number) + 1
    }
    var timed: [Call] = []
    for (number, place) in part.calls.enumerated() {
      let returned = part.returned[number]
      timed.append(
        TimedAction(
          HistoryCheck.renumbered(calls[Int(place)].action, local),
          invoked: Int(part.invoked[number]), returned: returned == .max ? .max : Int(returned)))
    }
    var search = FrontierSearch(
      KeyedModel(), timed, mostPossibilities: mostPossibilities, isLate: isLate)
    return verdict(search.search(from: [Int32](repeating: 0, count: part.keys.count)), part)
  }

  /// Nil where the part is more than one key.
  private func registerCalls(_ part: Part) -> [RegisterCall]? {
    if part.keys.count > 1 { return nil }
    var registers: [RegisterCall] = []
    registers.reserveCapacity(part.calls.count)
    for (number, place) in part.calls.enumerated() {
      var call: RegisterCall
      switch calls[Int(place)].action {
      case .point(_, let kind, let value, let expected):
        call = RegisterCall(
          kind, value: value, expected: expected, invoked: part.invoked[number],
          returned: part.returned[number])
      case .batch(let writes):
        call = RegisterCall(
          .write, value: writes[writes.count - 1].value, invoked: part.invoked[number],
          returned: part.returned[number])
      case .scan(_, _, _, let limit, let found):
        if limit < 1 || found.count > 1 { return nil }
        call = RegisterCall(
          .read, value: found.first?.value ?? 0, invoked: part.invoked[number],
          returned: part.returned[number])
      }
      registers.append(call)
    }
    return registers
  }

  private static func renumbered(_ action: KeyedAction, _ local: [Int32]) -> KeyedAction {
    switch action {
    case .point(let key, let kind, let value, let expected):
      .point(key: local[Int(key)], kind, value: value, expected: expected)
    case .batch(let writes): .batch(writes.map { KeyedValue(local[Int($0.key)], $0.value) })
    case .scan(let lower, let upper, let backward, let limit, let found):
      .scan(
        lower: local[Int(lower)], upper: local[Int(upper) - 1] + 1, backward: backward,
        limit: limit,
        found: found.map { entry in
          // A key outside the range is no key of the part, and explains nothing.
          let isKnown = entry.key >= lower && entry.key < upper
          return KeyedValue(isKnown ? local[Int(entry.key)] : -1, entry.value)
        })
    }
  }

  private func verdict(
    _ end: FrontierSearch<RegisterModel>.End, _ part: Part
  ) -> HistoryVerdict {
    switch end {
    case .explained: .valid
    case .contradiction(let event, _): invalid(part, at: event)
    case .unknown: .unknown
    }
  }

  private func verdict(_ end: FrontierSearch<KeyedModel>.End, _ part: Part) -> HistoryVerdict {
    switch end {
    case .explained: .valid
    case .contradiction(let event, _): invalid(part, at: event)
    case .unknown: .unknown
    }
  }

  private func invalid(_ part: Part, at event: Int) -> HistoryVerdict {
    var call: Int?
    for (number, returned) in part.returned.enumerated() where Int(returned) == event {
      call = Int(part.calls[number])
    }
    return HistoryVerdict(kind: .invalid, event: Int(part.times[event]), call: call)
  }
}
