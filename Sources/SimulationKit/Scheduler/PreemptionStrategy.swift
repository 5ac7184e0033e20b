/// Few preemptions, at exact places: the running thread gives way after so many of its calls, for a drawn number
/// of times, and else runs until it waits. Most concurrency bugs need one or two (Musuvathi and Qadeer, PLDI 2007), so
/// all schedules with that few are worth going through: `PairExploration` does, by answering these draws itself.
/// All zeros: no preemption.
public final class PreemptionStrategy: SchedulingStrategy {
  private var lane: ChoiceLane
  private let most: UInt64
  private var left = 0
  /// The first thread that was started in this round: those before it are not the program's.
  private var firstThread = UInt64.max

  /// Calls after which a thread may be preempted are below it.
  static let farthest: UInt64 = 1 << 16

  /// At most `most` preemptions.
  public init(tape: ChoiceTape, most: Int = 3) {
    lane = tape.lane("schedule")
    self.most = UInt64(most)
  }

  public func beginRound(_ lane: ChoiceLane) {
    self.lane = lane
    firstThread = .max
    left = Int(lane.draw("preemptions", below: most + 1))
  }

  public func began(_ thread: SimulatedThread) { firstThread = min(firstThread, thread.id) }

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    if left == 0 || thread.id < firstThread { return 0 }
    left -= 1
    return lane.draw("after", below: PreemptionStrategy.farthest)
  }

  public func outranks(_ woken: SimulatedThread, _ running: SimulatedThread) -> Bool { false }

  public func choose(
    among runnable: [SimulatedThread], leaving: SimulatedThread?, because reason: SwitchReason
  ) -> Int {
    Int(lane.draw("next", below: UInt64(runnable.count)))
  }
}
