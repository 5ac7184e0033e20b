public import EngineKit

/// Goes through every schedule of a pair with at most two preemptions, or one where a call takes too many points: which
/// thread begins, after how many of its calls the other takes over, and after how many of that one's it goes on.
///
/// Of schedules in which everything that conflicts comes in the same order, as `AccessRecord` has it, one is run: a
/// preemption comes to the same as the one a point later, if what the preempted thread does at that point conflicts
/// with nothing that the other one does meanwhile. (Partial-order reduction within the bound on preemptions.)
///
/// A failing schedule is a tape like any other, whose choices replay and shrink.
public struct PairExploration {
  /// Points of one call from which on only one preemption is tried.
  public static let manyPoints = 250
  /// Schedules of a pair; more are cut off, and counted.
  public static let mostSchedules = 200_000
  /// Pieces of a pair that may be explored side by side: as many places of the first preemption in each.
  public static let slices = 8

  private let scenario: InterleavingScenario
  private let factory: any EngineFactory
  private let options: TapeOptions
  private let slice: Int
  private let skipsSame: Bool
  private var sum = TapeResult()
  private var beat: () -> Void = {}
  /// Fingerprints of everything that calls answered and left behind, one for each way it came out.
  public private(set) var outcomes: Set<UInt64> = []

  public init(
    _ scenario: InterleavingScenario, _ factory: any EngineFactory, slice: Int,
    options: TapeOptions, skipsSame: Bool = true
  ) {
    // Without the trait accesses to words are no points: anything may happen between two points, so no two
    // schedules are known to come to the same.
    #if SchedulePoints
      self.skipsSame = skipsSame
    #else
      self.skipsSame = false
    #endif
    self.scenario = scenario
    self.factory = factory
    self.slice = slice
    var options = options
    options.strategy = nil
    self.options = options
  }

  /// All schedules of the slice together, as one result: counts add up; failure, choices and trace are those of the
  /// first schedule that fails.
  ///
  /// `beat` is called after each schedule: so that whoever waits knows that it gets on.
  public mutating func run(beat: @escaping () -> Void = {}) -> TapeResult {
    self.beat = beat
    guard let pair = scenario.pair else { return sum }
    var hash = FoldedHash()
    let lengths = attempt(0, [], &hash).lengths
    let isLong = lengths.contains { $0 / pair.repetitions >= PairExploration.manyPoints }
    sum.counters.longestCall = (lengths.max() ?? 0) / pair.repetitions
    for first in 0..<(pair.first == pair.second ? 1 : 2) {
      let length = first == 0 ? lengths[0] : attempt(first, [], &hash).lengths[first]
      exploreFirst(first, length, isLong, &hash)
    }
    sum.counters.tapes = 1
    sum.counters.declare(by: factory)
    if sum.failures.isEmpty { sum.traceHash = hash.text }
    return sum
  }

  /// The places of this slice, of the `length` that the thread has when nobody is in its way.
  private mutating func exploreFirst(
    _ first: Int, _ length: Int, _ isLong: Bool, _ hash: inout FoldedHash
  ) {
    var place = 1 + length * slice / PairExploration.slices
    let end = length * (slice + 1) / PairExploration.slices
    let isLast = slice == PairExploration.slices - 1
    // The last schedule that was run, and comes to the same as the one before this place.
    var same: PairRecord?
    while sum.failures.isEmpty && (isLast || place <= end) {
      // What the preempted thread would do before the other one, and not after it as there.
      if skipsSame, let same, let moved = same.step(place, ofFirst: true),
        same.firstConflict(of: moved, in: same.stretch(1)) == nil
      {
        sum.counters.schedulesSame += 1
      } else {
        let run = attempt(first, [place], &hash)
        if run.preemptions < 1 { return }
        same = run.record
        if !isLong { exploreSecond(first, place, run.record, &hash) }
      }
      place += 1
    }
  }

  /// `once` is what happens with the first preemption alone.
  private mutating func exploreSecond(
    _ first: Int, _ place: Int, _ once: PairRecord, _ hash: inout FoldedHash
  ) {
    let other = once.stretch(1)
    // Up to what conflicts with the last step before the preemption, that may come after it: so it was with
    // the place before. (Before the first place: the other one begins, and is preempted once.)
    var second = 1
    if skipsSame, let last = once.step(place, ofFirst: true) {
      let conflict = once.firstConflict(of: last, in: other) ?? other.upperBound
      second = max(1, conflict - other.lowerBound)
      sum.counters.schedulesSame += second - 1
    }
    var same: PairRecord?
    while sum.failures.isEmpty {
      if sum.counters.schedules >= PairExploration.mostSchedules / PairExploration.slices {
        // As many as that thread has points when nobody is in its way.
        sum.counters.schedulesCut += max(0, other.count - second + 1)
        return
      }
      if skipsSame, let same, let moved = same.step(second, ofFirst: false),
        same.firstConflict(of: moved, in: same.stretch(2)) == nil
      {
        sum.counters.schedulesSame += 1
        second += 1
        continue
      }
      let run = attempt(first, [place, second], &hash)
      if run.preemptions < 2 { return }
      same = run.record
      second += 1
    }
  }

  /// What came of one schedule.
  private struct Attempt {
    /// Points of each thread.
    var lengths: [Int]
    var preemptions: Int
    var record: PairRecord
  }

  private mutating func attempt(
    _ first: Int, _ after: [Int], _ hash: inout FoldedHash
  ) -> Attempt {
    // One database of eight is looked through and closed at its end, the others are dropped.
    let isShort = !after.isEmpty && after.reduce(0, +) % 8 != 0
    let driver = TurnDriver(first: first, turns: after.map(UInt64.init), isShort: isShort)
    let run = InterleavingRun(scenario, factory, driver: driver, options: options)
    let result = run.run()
    hash.add(result.traceHash)
    outcomes.insert(run.outcome)
    beat()
    let former = (sum.counters, sum.states.union(result.states))
    if !result.failures.isEmpty || result.inconclusive != nil { sum = result }
    (sum.counters, sum.states) = former
    sum.counters.add(result.counters)
    return Attempt(
      lengths: run.threadPoints, preemptions: run.preemptions, record: PairRecord(run.record))
  }
}
