public import EngineKit

/// Goes through every schedule of a pair with at most two preemptions, or one where a call takes too many points: which
/// thread begins, after how many of its calls the other takes over, and after how many of that one's it goes on.
///
/// A failing schedule is a tape like any other, whose choices replay and shrink.
public struct PairExploration {
  /// Points of one call from which on only one preemption is tried.
  public static let manyPoints = 150
  /// Schedules of a pair; more are cut off, and counted.
  public static let mostSchedules = 200_000
  /// Pieces of a pair that may be explored side by side: first preemptions whose place leaves this rest.
  public static let slices = 8

  private let scenario: InterleavingScenario
  private let factory: any EngineFactory
  private let options: TapeOptions
  private let slice: Int
  private var sum = TapeResult()

  public init(
    _ scenario: InterleavingScenario, _ factory: any EngineFactory, slice: Int,
    options: TapeOptions
  ) {
    self.scenario = scenario
    self.factory = factory
    self.slice = slice
    var options = options
    options.strategy = nil
    self.options = options
  }

  /// All schedules of the slice together, as one result: counts add up; failure, choices and trace are those of the
  /// first schedule that fails.
  public mutating func run() -> TapeResult {
    guard let pair = scenario.pair else { return sum }
    var hash = FoldedHash()
    let (lengths, _) = attempt(0, [], &hash)
    let isLong = lengths.contains { $0 / ProgramPair.repetitions >= PairExploration.manyPoints }
    sum.counters.longestCall = (lengths.max() ?? 0) / ProgramPair.repetitions
    for first in 0..<(pair.first == pair.second ? 1 : 2) {
      var place = slice == 0 ? PairExploration.slices : slice
      while sum.failures.isEmpty {
        let (_, preemptions) = attempt(first, [place], &hash)
        if preemptions < 1 { break }
        if !isLong { exploreSecond(first, place, lengths[1 - first], &hash) }
        place += PairExploration.slices
      }
    }
    sum.counters.tapes = 1
    sum.counters.declare(by: factory)
    if sum.failures.isEmpty { sum.traceHash = hash.text }
    return sum
  }

  private mutating func exploreSecond(
    _ first: Int, _ place: Int, _ length: Int, _ hash: inout FoldedHash
  ) {
    var second = 1
    while sum.failures.isEmpty {
      if sum.counters.schedules >= PairExploration.mostSchedules / PairExploration.slices {
        // As many as that thread has points when nobody is in its way.
        sum.counters.schedulesCut += max(0, length - second + 1)
        return
      }
      let (_, preemptions) = attempt(first, [place, second], &hash)
      if preemptions < 2 { return }
      second += 1
    }
  }

  /// Runs one schedule; answers the points of each thread and how many preemptions there were.
  private mutating func attempt(
    _ first: Int, _ after: [Int], _ hash: inout FoldedHash
  ) -> (lengths: [Int], preemptions: Int) {
    // One database of eight is looked through and closed at its end, the others are dropped.
    let isShort = !after.isEmpty && after.reduce(0, +) % 8 != 0
    let driver = PairDriver(first: first, after: after, isShort: isShort)
    let run = InterleavingRun(scenario, factory, driver: driver, options: options)
    let result = run.run()
    hash.add(result.traceHash)
    let former = sum.counters
    if !result.failures.isEmpty || result.inconclusive != nil { sum = result }
    sum.counters = former
    sum.counters.add(result.counters)
    return (run.threadPoints, run.preemptions)
  }
}

/// Answers who begins and who is preempted where, and nothing else.
private final class PairDriver: ChoiceDriver {
  private let first: Int
  private let after: [Int]
  private let isShort: Bool
  private var preemptions = 0
  private var hasBegun = false

  init(first: Int, after: [Int], isShort: Bool) {
    self.isShort = isShort
    self.first = first
    self.after = after
  }

  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    switch label.description {
    case "isShort": return isShort ? 1 : 0
    case "preemptions": return UInt64(after.count)
    case "after":
      preemptions += 1
      return preemptions <= after.count ? min(UInt64(after[preemptions - 1]), bound - 1) : 0
    case "next":
      if hasBegun { return 0 }
      hasBegun = true
      return UInt64(first)
    default: return 0
    }
  }
}
