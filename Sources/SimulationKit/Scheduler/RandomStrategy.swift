/// Each decision is a draw of its own in the lane "schedule". All zeros: each thread runs until it
/// blocks, then the one that has waited longest.
public final class RandomStrategy: SchedulingStrategy {
  private var lane: ChoiceLane
  private var maximumQuantum: UInt64

  /// A thread that may be preempted is after at most `maximumQuantum` seam calls; with 0 no thread
  /// is ever preempted. Small numbers make many switches.
  public init(tape: ChoiceTape, maximumQuantum: UInt64 = 32) {
    lane = tape.lane("schedule")
    self.maximumQuantum = min(maximumQuantum, 1 << 32)
  }

  /// Each round draws how often it switches: after 256 seam calls at most, or 128, or ... 4.
  public func beginRound(_ lane: ChoiceLane) {
    self.lane = lane
    maximumQuantum = 256 >> lane.draw("switchiness", below: 7)
  }

  public func began(_ thread: SimulatedThread) {}

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    // 0 is rare: it may give the processor to one thread for the rest of the run.
    let drawn = lane.draw("quantum", below: 16 * maximumQuantum + 1)
    return drawn == 0 ? 0 : 1 + (drawn - 1) % maximumQuantum
  }

  public func outranks(_ woken: SimulatedThread, _ running: SimulatedThread) -> Bool { false }

  public func choose(
    among runnable: [SimulatedThread], leaving: SimulatedThread?, because reason: SwitchReason
  ) -> Int {
    Int(lane.draw("next", below: UInt64(runnable.count)))
  }
}
