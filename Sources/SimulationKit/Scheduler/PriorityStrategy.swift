/// Probabilistic concurrency testing (Burckhardt and others, ASPLOS 2010): each thread has a drawn
/// priority, the highest that can run does, and at a few drawn points the running one falls below
/// all others. Few preemptions in long runs find what uniform switching rarely does.
///
/// Unlike the original, a thread that becomes runnable does not interrupt a lower one: priorities
/// decide at switches. All zeros: equal priorities, no change points.
public final class PriorityStrategy: SchedulingStrategy {
  private let lane: ChoiceLane
  private let meanDistance: UInt64
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

  public func began(_ thread: SimulatedThread) {
    // Ids are given out in order and never twice.
    while priorities.count <= Int(thread.id) { priorities.append(0) }
    priorities[Int(thread.id)] = Int64(lane.draw("priority", below: 1 << 16))
  }

  public func quantum(of thread: SimulatedThread, calls: UInt64) -> UInt64 {
    if changeAt <= calls { changeAt = nextChange(after: calls) }
    return changeAt == .max ? 0 : changeAt - calls
  }

  public func choose(among runnable: [SimulatedThread], leaving: SimulatedThread?) -> Int {
    if let leaving {
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
