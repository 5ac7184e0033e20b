/// Finds one schedule of two threads for each way in which their conflicting steps can be ordered: dynamic
/// partial-order reduction. It knows neither threads nor an engine: somebody runs the schedules that it asks for,
/// and tells what the threads did in them.
///
/// After Abdulla, Aronis, Jonsson and Sagonas, "Optimal dynamic partial order reduction" (POPL 2014): source sets and
/// sleep sets. A run is looked through for *races*: two steps of different threads that conflict, with nothing
/// between them by which the one happens before the other. For each, the second's thread is also to be tried where
/// the first's ran; the first's thread *sleeps* there, until something happens that conflicts with the step that it
/// would have made, so that what was seen is not seen again. With two threads that is optimal: no schedule is begun
/// in vain and no two come to the same. For the steps of the second thread before its racing one happen in any case,
/// and the racing one wakes the sleeper.
///
/// Invariants:
/// - `nodes` is the schedule that ran last, one node a step, or what is left of it: a depth-first search.
/// - A node's `isWanted` says that the other thread is to be tried there, `isDone` that it was; never both.
struct TraceSearch {
  /// One step of a run.
  struct Step: Equatable {
    /// 0 or 1.
    var thread: Int
    /// The other thread could have run instead.
    var hadChoice: Bool
  }

  private struct Node {
    var thread: Int
    var hadChoice: Bool
    /// The number of the last step of the other thread that this one conflicts with, where that lies after all that
    /// happens before this one in any case; -1: none.
    var race = -1
    /// The other thread sleeps.
    var isOtherAsleep = false
    var isWanted = false
    var isDone = false
    /// Where the other thread is to be tried: the number of its steps that end the sleep of this one.
    var wakes = 0
  }

  private var nodes: [Node] = []
  private var forced = 0
  private var hasBegun = false
  /// Runs told of: as many as there are ways, at the end.
  private(set) var runs = 0
  /// Runs in which a thread that sleeps was all that could run: none, if threads do as the search believes.
  private(set) var redundantRuns = 0
  /// A run was not what it had to be after the runs before it: then the search says nothing.
  private(set) var isLost = false

  init() {}

  /// Tries known so far that were not made: what an end before `next` is nil leaves out at least.
  var pending: Int { nodes.count { $0.isWanted } }

  /// The threads of the first steps of the schedule to run now; after those each thread runs on until it ends or waits.
  /// Nil when there is none left.
  mutating func next() -> [Int]? {
    if !hasBegun {
      hasBegun = true
      return []
    }
    if isLost { return nil }
    guard let branch = nodes.lastIndex(where: { $0.isWanted }) else { return nil }
    nodes.removeSubrange((branch + 1)...)
    nodes[branch].thread = 1 - nodes[branch].thread
    nodes[branch].isWanted = false
    nodes[branch].isDone = true
    nodes[branch].isOtherAsleep = true
    forced = branch + 1
    return nodes.map(\.thread)
  }

  /// What the schedule did; `conflict` is asked for the numbers of two steps of different threads.
  mutating func ran(_ steps: [Step], conflict: (Int, Int) -> Bool) {
    runs += 1
    guard steps.count >= forced, follows(steps) else {
      isLost = true
      return
    }
    for step in steps[forced...] {
      nodes.append(Node(thread: step.thread, hadChoice: step.hadChoice))
    }
    putToSleep()
    findRaces(conflict)
  }

  private func follows(_ steps: [Step]) -> Bool {
    var place = 0
    while place < forced {
      if steps[place].thread != nodes[place].thread { return false }
      place += 1
    }
    return true
  }

  /// After the branch the other thread sleeps through the steps that conflict with nothing that it would have done.
  private mutating func putToSleep() {
    if forced == 0 { return }
    let branch = forced - 1
    let runner = nodes[branch].thread
    var place = branch + 1
    while place < min(nodes.count, branch + nodes[branch].wakes) {
      if nodes[place].thread != runner {
        redundantRuns += 1
        return
      }
      nodes[place].isOtherAsleep = true
      place += 1
    }
  }

  private mutating func findRaces(_ conflict: (Int, Int) -> Bool) {
    // By thread: the last step of the other one that happens before its own last one.
    var before = [-1, -1]
    var place = 0
    while place < nodes.count {
      let thread = nodes[place].thread
      if place >= forced - 1 {
        nodes[place].race = race(of: place, after: before[thread], conflict)
      }
      let race = nodes[place].race
      if race >= 0 {
        if place >= forced - 1 { want(thread, at: race, for: place) }
        before[thread] = race
      }
      place += 1
    }
  }

  private func race(of step: Int, after: Int, _ conflict: (Int, Int) -> Bool) -> Int {
    var place = step - 1
    while place > after {
      if nodes[place].thread != nodes[step].thread && conflict(place, step) { return place }
      place -= 1
    }
    return -1
  }

  /// The thread of a step is to be tried at the node where a step ran that it races with.
  private mutating func want(_ thread: Int, at node: Int, for step: Int) {
    if !nodes[node].hadChoice || nodes[node].isOtherAsleep || nodes[node].isDone
      || nodes[node].isWanted
    {
      return
    }
    nodes[node].isWanted = true
    var own = 0
    var place = node + 1
    while place <= step {
      if nodes[place].thread == thread { own += 1 }
      place += 1
    }
    nodes[node].wakes = own
  }
}
