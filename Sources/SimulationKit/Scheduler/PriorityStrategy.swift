/// Probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010): each thread has a drawn
/// priority, the highest that can run does, and at a few drawn points the running one falls below
/// all others. A bug that needs d orderings is found by d - 1 such points with a probability that is
/// known, however long the run: few preemptions find what uniform switching rarely does.
///
/// A thread that is started or woken takes the processor from a lower one at that one's next seam
/// call. One that yields in a waiting loop falls below all others, or what it waits for would never run.
/// All zeros: equal priorities, no change points.
public final class PriorityStrategy: SchedulingStrategy {
  private var lane: ChoiceLane
  private var meanDistance: UInt64
  private var changesLeft: Int
  /// The seam call at which the running thread falls; `.max` for never, 0 before the first draw.
  private var changeAt: UInt64 = 0
  /// By thread id; the highest runs. Threads that fall get ever lower ones.
  private var priorities: [Int64] = [0]
  private var lowest: Int64 = -1

  /// At most `changes` change points, `meanDistance` seam calls apart on average.
  public init(tape: ChoiceTape, changes: Int = 3, meanDistance: UInt64 = 200) {
    lane = tape.lane("schedule")
    changesLeft = changes
    self.meanDistance = max(1, min(meanDistance, 1 << 40))
  }

  /// Each round draws its depth, 0 to 3 change points, and 2 to 512 calls as their mean distance.
  public func beginRound(_ lane: ChoiceLane) {
    self.lane = lane
    changesLeft = Int(lane.draw("changes", below: 4))
    meanDistance = 2 << lane.draw("distance", below: 9)
    changeAt = 0
  }

  public func began(_ thread: SimulatedThread) {
    // Ids are given out in order and never twice.
    while priorities.count <= Int(thread.id) { priorities.append(0) }
    priorities[Int(thread.id)] = Int64(lane.draw("priority", below: 1 << 16))
  }

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    if changeAt <= calls { changeAt = nextChange(after: calls) }
    return changeAt == .max ? 0 : changeAt - calls
  }

  public func outranks(_ woken: SimulatedThread, _ running: SimulatedThread) -> Bool {
    priorities[Int(woken.id)] > priorities[Int(running.id)]
  }

  public func choose(
    among runnable: [SimulatedThread], leaving: SimulatedThread?, because reason: SwitchReason
  ) -> Int {
    if let leaving, reason != .outranked {
      priorities[Int(leaving.id)] = lowest
      lowest -= 1
    }
    var best = 0
    var index = 1
    while index < runnable.count {
      if priorities[Int(runnable[index].id)] > priorities[Int(runnable[best].id)] { best = index }
      index += 1
    }
    return best
  }

  private func nextChange(after calls: UInt64) -> UInt64 {
    if changesLeft == 0 { return .max }
    changesLeft -= 1
    let distance = lane.draw("change", below: 2 * meanDistance)
    return distance == 0 ? .max : calls + distance
  }
}
