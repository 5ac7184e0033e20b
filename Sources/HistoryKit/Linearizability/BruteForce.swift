/// Looks for an order of the calls that explains every answer, by trying: right by its simplicity,
/// and fast enough for histories of a dozen overlapping calls. States met twice are not tried twice.
///
/// Where the process was killed, `recovered` is what was there afterwards: some prefix of the order
/// must lead to it, and hold every call that `floor` names.
///
/// Invariant: `taken` are the calls ordered so far, and `state` is what they lead to.
struct BruteForce<Model: SequentialModel> {
  struct Position: Hashable {
    var taken: UInt64
    var state: Model.State
    var isCut: Bool
  }

  private let model: Model
  private let calls: [TimedAction<Model.Action>]
  private let recovered: Model.State?
  private let floor: UInt64
  /// Calls that must be in the order.
  private let obligatory: UInt64
  /// Only asked whether a position is in it.
  private var seen: Set<Position> = []
  /// The calls of the longest order found.
  private(set) var longest: [Int] = []
  private var order: [Int] = []
  /// Positions looked at.
  private(set) var positions = 0

  /// At most 64 calls, and for `floor` their places as bits.
  init(
    _ model: Model, _ calls: [TimedAction<Model.Action>], recovered: Model.State? = nil,
    floor: UInt64 = 0
  ) {
    precondition(calls.count <= 64, "brute force is for small histories")
    self.model = model
    self.calls = calls
    self.recovered = recovered
    self.floor = floor
    var obligatory: UInt64 = 0
    for (place, call) in calls.enumerated() where !call.isOptional { obligatory |= 1 << place }
    self.obligatory = obligatory
  }

  /// Whether some order explains everything.
  mutating func search(from initial: Model.State) -> Bool {
    visit(Position(taken: 0, state: initial, isCut: recovered == nil))
  }

  private mutating func visit(_ position: Position) -> Bool {
    if order.count > longest.count { longest = order }
    if position.isCut && position.taken & obligatory == obligatory { return true }
    if !seen.insert(position).inserted { return false }
    positions += 1
    if !position.isCut && position.state == recovered && position.taken & floor == floor {
      var cut = position
      cut.isCut = true
      if visit(cut) { return true }
    }
    // Whatever is ordered next must have begun before all others that are left have returned.
    var earliest = Int.max
    var place = 0
    while place < calls.count {
      if position.taken & 1 << place == 0 && calls[place].returned < earliest {
        earliest = calls[place].returned
      }
      place += 1
    }
    place = 0
    while place < calls.count {
      if position.taken & 1 << place == 0 && calls[place].invoked < earliest,
        let state = model.apply(calls[place].action, to: position.state)
      {
        order.append(place)
        let next = Position(
          taken: position.taken | 1 << place, state: state, isCut: position.isCut)
        if visit(next) { return true }
        order.removeLast()
      }
      place += 1
    }
    return false
  }
}

/// Brute force over small maps, compiled for them.
public enum SmallMapSearch {
  public typealias Call = TimedAction<SmallMap.Action>

  /// Nil when some order explains every answer; else the calls of the longest order that explains
  /// its answers, in that order. Arguments as of `BruteForce`.
  public static func violation(
    _ calls: [Call], from initial: SmallMap.State, recovered: SmallMap.State? = nil,
    floor: UInt64 = 0
  ) -> [Int]? {
    var search = BruteForce(SmallMap(), calls, recovered: recovered, floor: floor)
    return search.search(from: initial) ? nil : search.longest
  }
}
