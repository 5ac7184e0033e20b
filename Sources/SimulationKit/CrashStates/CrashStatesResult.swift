/// A state that a power loss may leave, from which recovery breaks a promise.
public struct CrashFinding: Equatable, Sendable, Codable {
  /// The property that does not hold, as "durability".
  public var property: String
  /// One sentence.
  public var detail: String
  /// As `simulate crash-states --state` takes it.
  public var state: String
  /// Items of it that are not as the process saw them, and that are not as they were synced: the
  /// fewer, the simpler.
  public var lost: Int
  public var kept: Int
  /// What was about to happen, and what was lost and kept, a line each.
  public var lines: [String]

  public init(
    property: String, detail: String, state: String, lost: Int = 0, kept: Int = 0,
    lines: [String] = []
  ) {
    self.property = property
    self.detail = detail
    self.state = state
    self.lost = lost
    self.kept = kept
    self.lines = lines
  }

  /// Fewest lost or kept first.
  var weight: Int { min(lost, kept) * 1_000_000 + lost + kept }
}

/// What came of all crash states of one run. Plain numbers.
public struct CrashStatesResult: Equatable, Sendable, Codable {
  public var name: String
  /// Operations of the run, and bytes that it wrote.
  public var operations = 0
  public var bytesWritten = 0
  /// Moments: I/O calls of the run, and its end.
  public var calls = 0
  /// States by class, in the order of `StateClass.allCases`. The same state may be in several.
  public var states = [Int](repeating: 0, count: StateClass.allCases.count)
  /// States that were not looked at because there were more than allowed, and moments with too many
  /// items for all subsets.
  public var statesLeftOut = 0
  public var momentsWithoutSubsets = 0
  /// Distinct images of the disk: each is recovered once.
  public var images = 0
  /// Bytes of the files on them, all together.
  public var imageBytes = 0
  /// Openings: two for each image, of one in eight a third.
  public var recoveries = 0
  /// Distinct contents found, and how often contents were held against what was promised at a
  /// moment.
  public var contents = 0
  public var verified = 0
  /// With depth 2: calls of recoveries, states at them, and images that were not known.
  public var recoveryCalls = 0
  public var statesInRecovery = 0
  public var imagesInRecovery = 0
  /// Images whose recovery was not crashed because there were more than allowed.
  public var imagesNotCrashed = 0
  /// States that failed, and the simplest of each property.
  public var failingStates = 0
  public var findings: [CrashFinding] = []
  /// 32 hexadecimal digits over every state and what came of it.
  public var hash = ""
  /// Processor time in seconds, as its process measured it.
  public var cpuSeconds = 0.0
  /// Why the run says nothing, or nil.
  public var obstacle: String?

  public init(name: String) { self.name = name }

  public var stateCount: Int { states.reduce(0, +) }
}
