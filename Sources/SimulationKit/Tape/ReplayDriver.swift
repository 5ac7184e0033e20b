/// Answers from a recorded tape, lane by lane: each draw takes the next recorded choice *of its
/// lane*. A value out of the present bound is taken modulo the bound; a lane that has run out, or
/// that the tape does not know, answers 0.
public final class ReplayDriver: ChoiceDriver {
  private struct Queue {
    var values: [UInt64] = []
    var position = 0
  }

  /// One queue a lane name of the tape.
  private var queues: [Queue] = []
  /// Looked up only, never walked.
  private var queueOfName: [String: Int] = [:]
  /// By the lanes' ordinals: a queue, `none`, or `unknown` before the lane's first draw.
  private var queueOfLane: [Int] = []
  private static let none = -1
  private static let unknown = -2

  public init(_ choices: [Choice]) {
    for choice in choices {
      let queue: Int
      if let known = queueOfName[choice.lane] {
        queue = known
      } else {
        queue = queues.count
        queueOfName[choice.lane] = queue
        queues.append(Queue())
      }
      queues[queue].values.append(choice.value)
    }
  }

  public func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    while queueOfLane.count <= lane.ordinal { queueOfLane.append(ReplayDriver.unknown) }
    var queue = queueOfLane[lane.ordinal]
    if queue == ReplayDriver.unknown {
      queue = queueOfName[lane.fullName] ?? ReplayDriver.none
      queueOfLane[lane.ordinal] = queue
    }
    if queue == ReplayDriver.none { return 0 }
    let position = queues[queue].position
    if position >= queues[queue].values.count { return 0 }
    queues[queue].position = position + 1
    let value = queues[queue].values[position]
    return value < bound ? value : value % bound
  }
}
