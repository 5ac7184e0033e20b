/// Looks for an order of the calls that explains every answer, event by event, keeping only what is possible
/// now: for each state that the object may be in, which of the calls under way have taken effect. Memory grows with
/// the calls that overlap, not with the history.
///
/// After Lowe, "Testing for linearizability" (2017), just-in-time: a call takes effect when its return must be
/// explained, or to make way for one whose must. Besides
/// - calls that change nothing take effect as soon as they can: nothing is lost by that;
/// - of possibilities that differ only in the calls without an answer that they have used up, those that have
///   used up fewest suffice: such a call may still take effect later, or never.
///
/// Invariant: `frontier` holds each possibility once, and none that another of it makes needless.
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

  private typealias Slots = SIMD4<UInt64>

  private struct Possibility: Hashable {
    var state: Model.State
    /// Calls under way that will return, and have taken effect: bits by slot.
    var taken: Slots
    /// Calls without an answer that have taken effect.
    var used: Slots
  }

  private struct Key: Hashable {
    var state: Model.State
    var taken: Slots
  }

  private let model: Model
  private let calls: [TimedAction<Model.Action>]
  private let mostPossibilities: Int
  private let isLate: () -> Bool
  private var frontier: [Possibility] = []
  /// By slot: the call under way there; -1: none.
  private var underWay = [Int](repeating: -1, count: 256)
  /// Slots in use, ascending.
  private var slots: [Int] = []
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
    frontier = [Possibility(state: initial, taken: .zero, used: .zero)]
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

  private static func contains(_ slots: Slots, _ slot: Int) -> Bool {
    slots[slot >> 6] & 1 << UInt64(slot & 63) != 0
  }

  private static func add(_ slot: Int, to slots: inout Slots) {
    slots[slot >> 6] |= 1 << UInt64(slot & 63)
  }

  private func isOptional(_ slot: Int) -> Bool { calls[underWay[slot]].isOptional }

  /// A call has begun.
  private mutating func enter(_ slot: Int) {
    let action = calls[underWay[slot]].action
    if !model.changesNothing(action) { return }
    var place = 0
    while place < frontier.count {
      if model.apply(action, to: frontier[place].state) != nil {
        FrontierSearch.add(slot, to: &frontier[place].taken)
      }
      place += 1
    }
    // Two may be alike now only if they were before.
  }

  /// A call has returned, and taken effect in all that is left.
  private mutating func leave(_ slot: Int) {
    underWay[slot] = -1
    slots.removeAll { $0 == slot }
    var place = 0
    while place < frontier.count {
      frontier[place].taken[slot >> 6] &= ~(1 << UInt64(slot & 63))
      place += 1
    }
  }

  /// Keeps the ways in which the call has taken effect by now; false where there is none, nil where
  /// there are too many.
  private mutating func explain(_ slot: Int) -> Bool? {
    var kept = Minima()
    var seen = Minima()
    var open: [Possibility] = []
    for possibility in frontier {
      if FrontierSearch.contains(possibility.taken, slot) {
        kept.add(possibility)
      } else if seen.add(possibility) {
        open.append(possibility)
      }
    }
    while let possibility = open.popLast() {
      // Another that is as good was found since.
      if !seen.has(possibility) { continue }
      steps += 1
      if steps & 1023 == 0 && isLate() { return nil }
      for other in slots {
        let call = calls[underWay[other]]
        let isDone =
          FrontierSearch.contains(possibility.taken, other)
          || FrontierSearch.contains(possibility.used, other)
        if isDone { continue }
        guard let state = model.apply(call.action, to: possibility.state) else { continue }
        var next = possibility
        next.state = state
        if call.isOptional {
          FrontierSearch.add(other, to: &next.used)
        } else {
          FrontierSearch.add(other, to: &next.taken)
        }
        takeReads(&next)
        if FrontierSearch.contains(next.taken, slot) {
          kept.add(next)
        } else if seen.add(next) {
          open.append(next)
        }
        if kept.count + seen.count > mostPossibilities { return nil }
      }
    }
    frontier = kept.all
    return !frontier.isEmpty
  }

  /// What changes nothing and can take effect does.
  private func takeReads(_ possibility: inout Possibility) {
    for slot in slots where !FrontierSearch.contains(possibility.taken, slot) {
      let action = calls[underWay[slot]].action
      if model.changesNothing(action), model.apply(action, to: possibility.state) != nil {
        FrontierSearch.add(slot, to: &possibility.taken)
      }
    }
  }

  /// Possibilities, of those with equal state and calls taken only the ones with the fewest used up.
  private struct Minima {
    /// Looked up, and gone through in the order of `keys` alone.
    private var used: [Key: [Slots]] = [:]
    private var keys: [Key] = []
    private(set) var count = 0

    /// False when one that is there makes it needless.
    @discardableResult
    mutating func add(_ possibility: Possibility) -> Bool {
      let key = Key(state: possibility.state, taken: possibility.taken)
      guard let there = used[key] else {
        used[key] = [possibility.used]
        keys.append(key)
        count += 1
        return true
      }
      for one in there where one & ~possibility.used == .zero { return false }
      var left = there.filter { possibility.used & ~$0 != .zero }
      count += 1 + left.count - there.count
      left.append(possibility.used)
      used[key] = left
      return true
    }

    func has(_ possibility: Possibility) -> Bool {
      used[Key(state: possibility.state, taken: possibility.taken)]?.contains(possibility.used)
        ?? false
    }

    var all: [Possibility] {
      var all: [Possibility] = []
      for key in keys {
        for one in used[key] ?? [] {
          all.append(Possibility(state: key.state, taken: key.taken, used: one))
        }
      }
      return all
    }
  }
}
