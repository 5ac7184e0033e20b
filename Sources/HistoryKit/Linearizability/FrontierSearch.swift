/// Looks for an order of the calls that explains every answer, event by event, keeping only what is possible
/// now: for each state that the object may be in, which of the calls under way have taken effect. Memory grows with
/// the calls that overlap, not with the history.
///
/// After Lowe, "Testing for linearizability" (2017), just-in-time: a call takes effect when its return must be
/// explained, or to make way for one whose must. Besides
/// - calls that change nothing take effect as soon as they can: nothing is lost by that;
/// - of calls under way that are alike, whichever returns first takes effect first: in any order that explains the
///   history such calls may change places until it is so;
/// - a call that overwrites everything, and one without an answer, takes effect only where the next one to do so looks
///   at what it left (or its return must be explained): where the next one overwrites that, the one without an answer
///   need not have happened, and the other one is *covered*: from then on it may count as having taken effect just
///   before, or still take effect;
/// - of possibilities with equal states those suffice that have used up fewest of the calls without an answer, and have
///   most calls covered.
///
/// Many calls without an answer can be used up in very many ways, of which most histories need few. So it is tried first
/// with few possibilities at each event, those with the fewest used up: a history that these explain is explained.
/// Where they do not, and some were left out, more are kept.
///
/// Invariants:
/// - `frontier` holds each possibility once, and none that another of it makes needless.
/// - While nothing was left out (`isComplete`) every possibility follows from one of `frontier`.
/// - No call is both taken and covered. Only calls that overwrite, and will return, are covered.
struct FrontierSearch<Model: SequentialModel> {
  /// Calls under way that are told apart; more at once are beyond it.
  static var mostCalls: Int { 256 }

  enum End: Equatable {
    case explained
    /// The return at this event has no explanation.
    case contradiction(event: Int, call: Int)
    /// Too many possibilities, or calls at once, or too late.
    case unknown
  }

  typealias Possibility = FrontierPossibility<Model.State>

  private let model: Model
  private let calls: [TimedAction<Model.Action>]
  private let mostPossibilities: Int
  /// Possibilities kept at one event.
  private var width = 0
  /// None was left out.
  private var isComplete = true
  private let isLate: () -> Bool
  private var frontier: [Possibility] = []
  /// By slot: the call under way there; -1: none.
  private var underWay = [Int](repeating: -1, count: 256)
  /// Slots in use, ascending.
  private var slots: [Int] = []
  /// By slot in use: those of calls that are alike and take effect before this one.
  private var earlier = [CallSlots](repeating: .none, count: 256)
  /// Of calls that overwrite everything.
  private var overwriting = CallSlots.none
  /// Of those the ones that will return.
  private var coverable = CallSlots.none
  /// Possibilities looked at.
  private(set) var steps = 0

  /// - Parameters:
  ///   - mostPossibilities: at one event; more are too many.
  ///   - isLate: asked now and then.
  init(
    _ model: Model, _ calls: [TimedAction<Model.Action>], mostPossibilities: Int = 1 << 20,
    isLate: @escaping () -> Bool = { false }
  ) {
    self.model = model
    self.calls = calls
    self.mostPossibilities = mostPossibilities
    self.isLate = isLate
  }

  private struct Event {
    var time: Int
    var call: Int
    var isReturn: Bool
  }

  mutating func search(from initial: Model.State) -> End {
    let events = events
    width = 64
    while true {
      width = min(width, mostPossibilities)
      let end = search(events, from: initial)
      if end == .explained || isComplete || width == mostPossibilities || isLate() {
        return end == .explained || isComplete ? end : .unknown
      }
      width *= 32
    }
  }

  private var events: [Event] {
    var events: [Event] = []
    events.reserveCapacity(2 * calls.count)
    for (place, call) in calls.enumerated() {
      // What changes nothing and has no answer says nothing.
      if call.isOptional && model.changesNothing(call.action) { continue }
      events.append(Event(time: call.invoked, call: place, isReturn: false))
      if !call.isOptional {
        events.append(Event(time: call.returned, call: place, isReturn: true))
      }
    }
    events.sort { $0.time < $1.time }
    return events
  }

  private mutating func search(_ events: [Event], from initial: Model.State) -> End {
    frontier = [Possibility(state: initial)]
    isComplete = true
    while let slot = slots.first { leave(slot) }
    var slotOf = [Int](repeating: -1, count: calls.count)
    for event in events {
      if event.isReturn {
        guard let explained = explain(slotOf[event.call]) else { return .unknown }
        if !explained { return .contradiction(event: event.time, call: event.call) }
        leave(slotOf[event.call])
      } else {
        guard let slot = underWay.firstIndex(of: -1) else { return .unknown }
        underWay[slot] = event.call
        slotOf[event.call] = slot
        slots.insert(slot, at: slots.firstIndex { $0 > slot } ?? slots.count)
        enter(slot)
      }
    }
    return .explained
  }

  /// A call has begun.
  private mutating func enter(_ slot: Int) {
    let call = calls[underWay[slot]]
    queue(slot)
    if model.overwrites(call.action) {
      overwriting.insert(slot)
      if !call.isOptional { coverable.insert(slot) }
    }
    if !model.changesNothing(call.action) { return }
    var place = 0
    while place < frontier.count {
      if model.apply(call.action, to: frontier[place].state) != nil {
        frontier[place].taken.insert(slot)
      }
      place += 1
    }
    // Two may be alike now only if they were before.
  }

  /// Gives a call that has begun its place among those that are alike. One without an answer comes last.
  private mutating func queue(_ slot: Int) {
    let call = calls[underWay[slot]]
    earlier[slot] = .none
    for other in slots where other != slot {
      let another = calls[underWay[other]]
      if !model.areAlike(call.action, another.action) { continue }
      if another.returned < call.returned || (another.isOptional && call.isOptional) {
        earlier[slot].insert(other)
      } else {
        earlier[other].insert(slot)
      }
    }
  }

  /// A call has returned, and taken effect in all that is left.
  private mutating func leave(_ slot: Int) {
    underWay[slot] = -1
    slots.removeAll { $0 == slot }
    for other in slots { earlier[other].remove(slot) }
    overwriting.remove(slot)
    coverable.remove(slot)
    var place = 0
    while place < frontier.count {
      frontier[place].taken.remove(slot)
      frontier[place].covered.remove(slot)
      place += 1
    }
  }

  /// Keeps the ways in which the call has taken effect by now; false where there is none, nil where
  /// it is too late.
  private mutating func explain(_ slot: Int) -> Bool? {
    var kept = FrontierMinima<Model.State>()
    var seen = FrontierMinima<Model.State>()
    // By the calls without an answer that they have used up: who needs fewest comes first.
    var open: [[Possibility]] = []
    func add(_ possibility: Possibility) {
      while open.count <= possibility.used.count { open.append([]) }
      open[possibility.used.count].append(possibility)
    }
    for possibility in frontier {
      if possibility.taken.contains(slot) {
        kept.add(possibility, overwriting)
        continue
      }
      // It may have been covered, or take effect now.
      if possibility.covered.contains(slot) { kept.add(possibility, overwriting) }
      if seen.add(possibility, overwriting) { add(possibility) }
    }
    var used = 0
    while used < open.count {
      guard let possibility = open[used].popLast() else {
        used += 1
        continue
      }
      // Another that is as good was found since.
      if !seen.has(possibility, overwriting) { continue }
      steps += 1
      if steps & 1023 == 0 && isLate() { return nil }
      if kept.count >= width || seen.count >= 4 * width {
        isComplete = false
        break
      }
      for other in slots {
        guard let next = step(from: possibility, other, explaining: slot) else { continue }
        if next.taken.contains(slot) {
          kept.add(next, overwriting)
        } else if seen.add(next, overwriting) {
          add(next)
        }
      }
    }
    frontier = kept.all
    if frontier.count > width {
      isComplete = false
      frontier.sort { $0.used.count < $1.used.count }
      frontier.removeSubrange(width...)
    }
    return !frontier.isEmpty
  }

  /// What is possible once this call has taken effect; nil where it cannot, or need not be looked at.
  private func step(
    from former: Possibility, _ slot: Int, explaining: Int
  ) -> Possibility? {
    if former.taken.contains(slot) || former.used.contains(slot) { return nil }
    if !earlier[slot].isSubset(of: former.taken.union(former.used)) { return nil }
    let call = calls[underWay[slot]]
    let overwrites = overwriting.contains(slot)
    // Nobody would see what the last one left.
    if former.isUnseen && overwrites { return nil }
    guard let state = model.apply(call.action, to: former.state) else { return nil }
    var next = former
    next.state = state
    if call.isOptional {
      next.used.insert(slot)
    } else {
      next.taken.insert(slot)
      next.covered.remove(slot)
    }
    if overwrites { next.covered = coverable.subtracting(next.taken) }
    let seen = takeReads(&next)
    next.isUnseen = (overwrites || call.isOptional) && !seen && slot != explaining
    return next
  }

  /// What changes nothing and can take effect does. True if there was such.
  private func takeReads(_ possibility: inout Possibility) -> Bool {
    var some = false
    for slot in slots where !possibility.taken.contains(slot) {
      let action = calls[underWay[slot]].action
      if model.changesNothing(action), model.apply(action, to: possibility.state) != nil {
        possibility.taken.insert(slot)
        some = true
      }
    }
    return some
  }
}
