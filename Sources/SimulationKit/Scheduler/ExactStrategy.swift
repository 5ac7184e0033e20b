/// Gives way after exactly so many seam calls as the tape says, and to the thread that it says. What any other strategy
/// has done can be written down so (`ScheduleRecord`), and then each preemption is one choice that is not zero:
/// the shrinker takes them away one by one, where a tape of short turns could only be made of other short turns.
/// All zeros: each thread runs until it waits.
public final class ExactStrategy: SchedulingStrategy {
  private var lane: ChoiceLane
  /// Above the most calls that a process may make.
  static let farthest: UInt64 = 1 << 20

  public init(tape: ChoiceTape) { lane = tape.lane("schedule") }

  public func beginRound(_ lane: ChoiceLane) { self.lane = lane }

  public func began(_ thread: SimulatedThread) {}

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    lane.draw("after", below: ExactStrategy.farthest)
  }

  public func outranks(_ woken: SimulatedThread, _ running: SimulatedThread) -> Bool { false }

  public func choose(
    among runnable: [SimulatedThread], leaving: SimulatedThread?, because reason: SwitchReason
  ) -> Int {
    Int(lane.draw("next", below: UInt64(runnable.count)))
  }
}

/// What a strategy decided, as choices of `ExactStrategy`.
struct ScheduleRecord {
  var isOn = false
  private(set) var choices: [Choice] = []
  private var lane = "schedule"
  /// The place in `choices` of the last turn, and the call at which it began.
  private var turn: (place: Int, calls: UInt64)?

  mutating func beginRound(_ lane: ChoiceLane) { self.lane = lane.fullName }

  /// A turn begins, and may be ended.
  mutating func beginTurn(calls: UInt64) {
    turn = (choices.count, calls)
    choices.append(Choice(lane: lane, label: "after", bound: ExactStrategy.farthest, value: 0))
  }

  /// It was: before it waited.
  mutating func endTurn(calls: UInt64) {
    guard let turn else { return }
    choices[turn.place].value = min(calls &- turn.calls, ExactStrategy.farthest - 1)
    self.turn = nil
  }

  mutating func choose(_ index: Int, of count: Int) {
    choices.append(Choice(lane: lane, label: "next", bound: UInt64(count), value: UInt64(index)))
  }
}
