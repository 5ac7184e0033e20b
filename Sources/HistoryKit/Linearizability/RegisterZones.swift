/// Decides whether the history of one register is linearizable, where every value was written at most once: then
/// each answer says which write it saw, and no search is needed. Linear in the history but for one sort.
///
/// After Gibbons and Korach, "Testing shared memories" (1997), with exchanges. A write and all that found its
/// value follow one another without another write between them: a *cluster*. A successful exchange ties two clusters
/// together, so clusters form *chains*, whose calls follow one another in a known order of stages: write, reads,
/// exchange, reads, ... The *zone* of a chain lies between the earliest return and the latest invocation of
/// its calls. If the return comes first (a forward zone) the chain has the register throughout the
/// zone; else (a backward zone) all of it can happen at any one moment of the zone.
/// The history is linearizable exactly if
/// 1. what was found was written, and nothing found a value twice that an exchange took away;
/// 2. in each chain no call of a later stage returned before one of an earlier stage was invoked;
/// 3. no two forward zones overlap, and no backward zone lies within a forward one.
///
/// Calls without an answer: a read says nothing; a write or an exchange took place exactly if somebody found what
/// it wrote, and then returned never.
struct RegisterZones {
  /// Of the history's calls; no `mismatch`.
  private let calls: [RegisterCall]
  private let values: Int
  private let events: Int
  /// By value: the call that writes it; -1: none.
  private let writers: [Int32]

  // Scratch, by value.
  private var isFound: [Bool]
  private var next: [Int32]
  private var readsReturned: [Int32]
  private var readsInvoked: [Int32]
  // By time: the end of the forward zone that begins there; -1: none.
  private var forward: [Int32]
  private var backward: [(low: Int32, high: Int32)] = []
  /// Exchanges that took place and are not yet found in a chain.
  private var exchanges = 0

  /// Nil where the method does not apply: a value was written twice, or something is only known not to have been found.
  ///
  /// - Parameters:
  ///   - values: numbers of values are below it.
  ///   - events: times are below it.
  init?(_ calls: [RegisterCall], values: Int, events: Int) {
    var writers = [Int32](repeating: -1, count: values)
    var place = 0
    while place < calls.count {
      let call = calls[place]
      switch call.kind {
      case .read: break
      case .mismatch: return nil
      case .write, .exchange:
        if call.value == 0 || writers[Int(call.value)] >= 0 || call.expected < 0 { return nil }
        writers[Int(call.value)] = Int32(place)
      }
      place += 1
    }
    self.calls = calls
    self.values = values
    self.events = events
    self.writers = writers
    isFound = [Bool](repeating: false, count: values)
    next = [Int32](repeating: -1, count: values)
    readsReturned = [Int32](repeating: .max, count: values)
    readsInvoked = [Int32](repeating: -1, count: values)
    forward = [Int32](repeating: -1, count: events + 1)
  }

  /// The number of events of the longest prefix that is linearizable: `events` if all is.
  mutating func longestPrefix() -> Int {
    if holds(until: events) { return events }
    // A history is linearizable only if all its prefixes are.
    var good = 0
    var bad = events
    while bad - good > 1 {
      let middle = (good + bad) / 2
      if holds(until: middle) { good = middle } else { bad = middle }
    }
    return good
  }

  /// Whether the first `end` events are linearizable.
  mutating func holds(until end: Int) -> Bool {
    let end = Int32(end)
    var value = 0
    while value < values {
      isFound[value] = false
      next[value] = -1
      readsReturned[value] = .max
      readsInvoked[value] = -1
      value += 1
    }
    exchanges = 0
    if !gather(end) { return false }
    var time = 0
    while time < forward.count {
      forward[time] = -1
      time += 1
    }
    backward.removeAll(keepingCapacity: true)
    value = 0
    while value < values {
      if isHead(value, end), !addChain(from: value, end) { return false }
      value += 1
    }
    // Those that are left run in circles, each finding what another wrote.
    return exchanges == 0 && zonesFit()
  }

  private func returned(_ call: RegisterCall, _ end: Int32) -> Int32 {
    call.returned < end ? call.returned : .max
  }

  /// Reads by value, and which exchanges took place. False where a value was found that nobody wrote, or
  /// taken away twice.
  private mutating func gather(_ end: Int32) -> Bool {
    var place = 0
    while place < calls.count {
      let call = calls[place]
      place += 1
      let returned = returned(call, end)
      if returned == .max { continue }
      switch call.kind {
      case .read:
        let value = Int(call.value)
        readsReturned[value] = min(readsReturned[value], returned)
        readsInvoked[value] = max(readsInvoked[value], call.invoked)
        if !find(value, end) { return false }
      case .exchange: if !take(place - 1, end) { return false }
      case .write, .mismatch: break
      }
    }
    return true
  }

  /// Somebody found the value: so it was written.
  private mutating func find(_ value: Int, _ end: Int32) -> Bool {
    if isFound[value] { return true }
    isFound[value] = true
    if value == 0 { return true }
    let writer = writers[value]
    guard writer >= 0, calls[Int(writer)].invoked < end else { return false }
    return calls[Int(writer)].kind == .write || take(Int(writer), end)
  }

  /// The exchange took place, and so did whatever wrote what it found.
  private mutating func take(_ place: Int, _ end: Int32) -> Bool {
    var place = place
    while true {
      let old = Int(calls[place].expected)
      if next[old] == Int32(place) { return true }
      if next[old] >= 0 { return false }
      next[old] = Int32(place)
      exchanges += 1
      if isFound[old] { return true }
      isFound[old] = true
      if old == 0 { return true }
      let writer = writers[old]
      guard writer >= 0, calls[Int(writer)].invoked < end else { return false }
      if calls[Int(writer)].kind == .write { return true }
      place = Int(writer)
    }
  }

  /// Whether a chain begins with this value, of which anything is to be said.
  private func isHead(_ value: Int, _ end: Int32) -> Bool {
    if value == 0 { return true }
    let writer = writers[value]
    guard writer >= 0 else { return false }
    let call = calls[Int(writer)]
    return call.kind == .write && call.invoked < end
      && (isFound[value] || returned(call, end) != .max)
  }

  /// Goes along a chain, stage by stage; false where its own order is wrong.
  private mutating func addChain(from head: Int, _ end: Int32) -> Bool {
    var earliest = Int32.max
    var latest: Int32 = -1
    func stage(_ invoked: Int32, _ returned: Int32) -> Bool {
      if returned < latest { return false }
      earliest = min(earliest, returned)
      latest = max(latest, invoked)
      return true
    }
    var value = head
    if head == 0 {
      if !isFound[0] { return true }
      earliest = -1
    } else {
      let call = calls[Int(writers[head])]
      if !stage(call.invoked, returned(call, end)) { return false }
    }
    while true {
      if readsInvoked[value] >= 0 && !stage(readsInvoked[value], readsReturned[value]) {
        return false
      }
      let following = next[value]
      if following < 0 { break }
      let call = calls[Int(following)]
      if !stage(call.invoked, returned(call, end)) { return false }
      value = Int(call.value)
      exchanges -= 1
    }
    if earliest < latest {
      // At time -1 only the initial value's chain can begin.
      let place = Int(earliest) + 1
      if forward[place] >= 0 { return false }
      forward[place] = latest
    } else {
      backward.append((latest, earliest))
    }
    return true
  }

  /// Rule 3.
  private mutating func zonesFit() -> Bool {
    var open: Int32 = -1
    var time = 0
    // From here on: the end of the last forward zone that began at or before each time.
    while time < forward.count {
      let zone = forward[time]
      if zone >= 0 {
        if Int32(time) - 1 < open { return false }
        open = zone
      }
      forward[time] = open
      time += 1
    }
    var place = 0
    while place < backward.count {
      let zone = backward[place]
      // `low` is an invocation, so at least 0.
      if forward[Int(zone.low) + 1] > zone.high { return false }
      place += 1
    }
    return true
  }
}
