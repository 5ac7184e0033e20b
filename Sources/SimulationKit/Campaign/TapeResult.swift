public import EngineKit
public import HistoryKit

/// What is asked of one tape.
public struct TapeOptions: Equatable, Sendable {
  /// Engine calls of all clients together. What recoveries read is not counted.
  public var operations: Int
  /// Keep every event of the trace, to compare two runs event by event.
  public var keepsEvents: Bool
  /// How threads are interleaved; nil: the tape says.
  public var strategy: StrategyName?
  /// Write down what the strategy decided, as choices of `ExactStrategy`.
  public var recordsSchedule = false
  /// Only verdict and counters are wanted, as of one tape among millions: no bytes in the trace, and no list of choices. The
  /// tape is the same.
  public var isHasty = false
  /// The order of writes is held against the engine's rules, which takes a sixth of a tape's time.
  public var watchesOrder = true

  public init(
    operations: Int = 1000, keepsEvents: Bool = false, strategy: StrategyName? = nil
  ) {
    self.operations = operations
    self.keepsEvents = keepsEvents
    self.strategy = strategy
  }
}

/// A property that did not hold, and where.
public struct Failure: Equatable, Hashable, Sendable {
  /// A `Checker`, or "trap" where the process that ran the tape died.
  public var property: String
  /// One sentence.
  public var detail: String
  /// Operations done when it was noticed.
  public var step: Int

  public init(property: String, detail: String, step: Int) {
    self.property = property
    self.detail = detail
    self.step = step
  }
}

/// What one tape came to: plain numbers that add up over a campaign.
public struct TapeResult: Equatable, Sendable {
  public var failures: [Failure] = []
  public var counters = TapeCounters()
  /// 32 hexadecimal digits over every event of the run.
  public var traceHash = ""
  /// Of concurrent programs: a fingerprint of each way in which a round came out, all answers and the contents
  /// afterwards. Only counted, and asked whether one is there.
  public var states: Set<UInt64> = []
  /// Why the tape says nothing (`verdict` "unknown"), or nil.
  public var inconclusive: String?
  /// All choices in the order in which they were made. The tape itself.
  public var choices: [Choice] = []
  /// The schedule as choices of `ExactStrategy`, where the options asked for it.
  public var schedule: [Choice] = []
  /// The last events as the judge saw them, where a property failed or the options asked for events.
  public var history: History?
  /// The trace, where the options asked for it.
  public var events: [String] = []

  public init() {}
}

/// How often things happened. `add` is commutative and associative.
public struct TapeCounters: Equatable, Sendable {
  public var tapes = 0
  public var operations = 0
  public var processKills = 0
  public var powerLosses = 0
  /// Power losses and kills with at least one sector that was not synced.
  public var crashesWithPendingSectors = 0
  /// Crashes by the number of unsynced sectors: 0, 1, 2-3, 4-7, and so on, doubling.
  public var pendingSectors = [Int](repeating: 0, count: TapeCounters.histogramBuckets)
  public var crashesDuringRecovery = 0
  /// Openings after a crash that came through and were checked.
  public var recoveries = 0
  /// Tapes that ended legally because the engine reported damage that the disk had done.
  public var reportedDamage = 0
  public var threadSwitches = 0
  /// Of these, by the schedule's choice: not because a thread waited or ended. Of concurrent programs only.
  public var preemptions = 0
  /// Rounds of small concurrent programs: each is one schedule of one program.
  public var schedules = 0
  /// Schedules that an exhaustive search would have gone through, but for its bound.
  public var schedulesCut = 0
  /// Schedules that an exhaustive search passed over because they come to the same as one that it ran. (Where a
  /// first preemption comes to the same, it counts once, whatever would have followed.)
  public var schedulesSame = 0
  /// Calls at which threads could have been switched.
  public var schedulePoints = 0
  /// Those of the longest call of a pair that is explored; of several tapes, the most.
  public var longestCall = 0
  /// By place in `FaultClass.allCases`: those that met an engine call.
  public var faults = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// In ascending order of names; every declared name has an entry.
  public var faultPoints: [NamedCount] = []
  public var probes: [NamedCount] = []

  public static let histogramBuckets = 16

  public init() {}

  public var crashes: Int { processKills + powerLosses }

  public mutating func add(_ other: TapeCounters) {
    tapes += other.tapes
    operations += other.operations
    processKills += other.processKills
    powerLosses += other.powerLosses
    crashesWithPendingSectors += other.crashesWithPendingSectors
    TapeCounters.add(other.pendingSectors, to: &pendingSectors)
    crashesDuringRecovery += other.crashesDuringRecovery
    recoveries += other.recoveries
    reportedDamage += other.reportedDamage
    threadSwitches += other.threadSwitches
    preemptions += other.preemptions
    schedules += other.schedules
    schedulesCut += other.schedulesCut
    schedulesSame += other.schedulesSame
    schedulePoints += other.schedulePoints
    longestCall = max(longestCall, other.longestCall)
    TapeCounters.add(other.faults, to: &faults)
    faultPoints = NamedCount.merge(faultPoints, other.faultPoints)
    probes = NamedCount.merge(probes, other.probes)
  }

  /// Gives every fault point and probe that an engine declares an entry, if only of zero.
  public mutating func declare(by factory: any EngineFactory) {
    faultPoints = NamedCount.merge(
      faultPoints, factory.faultPoints.sorted().map { NamedCount($0, 0) })
    probes = NamedCount.merge(probes, factory.probes.sorted().map { NamedCount($0, 0) })
  }

  private static func add(_ counts: [Int], to sums: inout [Int]) {
    var index = 0
    while index < min(counts.count, sums.count) {
      sums[index] += counts[index]
      index += 1
    }
  }

  /// Notes a crash that found `count` unsynced sectors.
  mutating func notePendingSectors(_ count: Int) {
    if count > 0 { crashesWithPendingSectors += 1 }
    let bucket = Int.bitWidth - count.leadingZeroBitCount
    pendingSectors[min(bucket, TapeCounters.histogramBuckets - 1)] += 1
  }

  /// The lower and upper bound of a bucket of `pendingSectors`.
  public static func bounds(ofBucket bucket: Int) -> ClosedRange<Int> {
    if bucket == 0 { return 0...0 }
    let lower = 1 << (bucket - 1)
    return bucket == histogramBuckets - 1 ? lower...Int.max : lower...(2 * lower - 1)
  }
}
