internal import EngineKit

/// Answers for a pair who begins and after how many steps each turn but the last ends, that all calls are made,
/// and nothing else.
final class TurnDriver: ChoiceDriver {
  private let first: Int
  private let turns: [UInt64]
  private let isShort: Bool
  /// The round's schedule has begun: what was before, its threads being made, is not explored.
  private var isRound = false
  private var hasBegun = false
  private var turn = 0

  init(first: Int, turns: [UInt64], isShort: Bool) {
    self.first = first
    self.turns = turns
    self.isShort = isShort
  }

  /// The threads given, step by step, and then no preemption.
  convenience init(_ threads: [Int], isShort: Bool) {
    var turns: [UInt64] = []
    var place = 0
    while place < threads.count {
      let begin = place
      while place < threads.count && threads[place] == threads[begin] { place += 1 }
      // The last turn goes on.
      if place < threads.count { turns.append(UInt64(place - begin)) }
    }
    self.init(first: threads.first ?? 0, turns: turns, isShort: isShort)
  }

  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    switch label.description {
    case "isShort": return isShort ? 1 : 0
    case "further": return bound - 1
    case "preemptions":
      isRound = true
      return min(UInt64(turns.count), bound - 1)
    case "after":
      turn += 1
      return turn <= turns.count ? min(turns[turn - 1], bound - 1) : 0
    case "next":
      if !isRound || hasBegun { return 0 }
      hasBegun = true
      return UInt64(first)
    default: return 0
    }
  }
}
