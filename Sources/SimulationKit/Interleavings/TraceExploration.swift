public import EngineKit

/// Runs one call beside another in every way that differs: one schedule for each order of what conflicts, however many
/// preemptions it takes. `TraceSearch` says which, from what the threads did (`AccessRecord`).
///
/// A failing schedule is a tape like any other, whose choices replay and shrink.
public struct TraceExploration {
  /// Schedules of a pair; what is left then is cut off, and as much of it as is known is counted.
  public static let mostSchedules = 200_000

  private let scenario: InterleavingScenario
  private let factory: any EngineFactory
  private let options: TapeOptions
  private let mostSchedules: Int
  private var sum = TapeResult()
  private var hash = FoldedHash()
  private var search = TraceSearch()

  public init(
    _ scenario: InterleavingScenario, _ factory: any EngineFactory, options: TapeOptions,
    mostSchedules: Int = TraceExploration.mostSchedules
  ) {
    self.scenario = scenario
    self.factory = factory
    self.mostSchedules = mostSchedules
    var options = options
    options.strategy = nil
    self.options = options
  }

  /// All schedules together, as one result: counts add up; failure, choices and trace are those of the first schedule
  /// that fails, which ends the exploration. `beat` is called after each schedule.
  public mutating func run(beat: () -> Void = {}) -> TapeResult {
    while sum.failures.isEmpty, sum.inconclusive == nil, let threads = search.next() {
      attempt(threads)
      beat()
      if search.isLost {
        sum.inconclusive = "schedule \(search.runs) did not begin as the one before it"
      }
      if search.runs == mostSchedules { break }
    }
    if sum.failures.isEmpty { sum.counters.schedulesCut = search.pending }
    sum.counters.schedulesSame = search.redundantRuns
    sum.counters.tapes = 1
    sum.counters.declare(by: factory)
    if sum.failures.isEmpty { sum.traceHash = hash.text }
    return sum
  }

  private mutating func attempt(_ threads: [Int]) {
    // One database of eight is looked through and closed at its end, the others are dropped.
    let driver = TurnDriver(threads, isShort: search.runs % 8 != 0)
    let run = InterleavingRun(scenario, factory, driver: driver, options: options)
    let result = run.run()
    hash.add(result.traceHash)
    let former = (sum.counters, sum.states.union(result.states))
    if !result.failures.isEmpty || result.inconclusive != nil { sum = result }
    (sum.counters, sum.states) = former
    sum.counters.add(result.counters)
    sum.counters.longestCall = max(sum.counters.longestCall, run.threadPoints.max() ?? 0)
    let record = run.record
    let first = run.firstThread
    search.ran(
      record.accesses.map {
        TraceSearch.Step(thread: $0.thread == first ? 0 : 1, hadChoice: $0.hadChoice)
      },
      conflict: { TraceExploration.knowsAccesses ? record.conflict($0, $1) : true })
  }

  /// Without the trait accesses to words are no points: anything may happen between two points.
  private static var knowsAccesses: Bool {
    #if SchedulePoints
      return true
    #else
      return false
    #endif
  }
}
