/// Each decision is a draw of its own in the lane "schedule". All zeros: each thread runs until it
/// blocks, then the one that has waited longest.
public final class RandomStrategy: SchedulingStrategy {
  private let lane: ChoiceLane
  private let maximumQuantum: UInt64

  /// A thread that may be preempted is after at most `maximumQuantum` seam calls; with 0 no thread
  /// is ever preempted. Small numbers make many switches.
  public init(tape: ChoiceTape, maximumQuantum: UInt64 = 32) {
    lane = tape.lane("schedule")
    self.maximumQuantum = min(maximumQuantum, 1 << 32)
  }

  public func began(_ thread: SimulatedThread) {}

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    // 0 is rare: it may give the processor to one thread for the rest of the run.
    let drawn = lane.draw("quantum", below: 16 * maximumQuantum + 1)
    return drawn == 0 ? 0 : 1 + (drawn - 1) % maximumQuantum
  }

  public func choose(among runnable: [SimulatedThread], leaving: SimulatedThread?) -> Int {
    Int(lane.draw("next", below: UInt64(runnable.count)))
  }
}
