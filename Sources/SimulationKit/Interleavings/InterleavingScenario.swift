public import EngineKit

/// A family of small concurrent programs: two to four threads that each make a few calls of one engine
/// on a handful of keys, interleaved by the tape, and checked for linearizability round by round.
///
/// Needs a build with the trait `SchedulePoints` to be worth its name: without it threads switch only at
/// I/O, locks and fault points.
public struct InterleavingScenario: TapeSubject {
  public var name: String
  /// One line for `simulate list`.
  public var summary: String
  /// What the threads do, all equally likely; what the engine cannot do is left out.
  public var actions: [ProgramAction]
  public var threads: ClosedRange<Int>
  /// Calls of one thread in one round.
  public var calls: ClosedRange<Int>
  /// Rounds of one tape.
  public var rounds: ClosedRange<Int>
  /// Whether the process is killed, or the power lost, in some rounds.
  public var crashes: Bool
  /// Two threads that each do one thing three times, or once; nil: the tape draws what threads do.
  public var pair: ProgramPair?

  /// One round of a pair, each on a new database. Of three calls beside three, schedules have few preemptions.
  public init(_ pair: ProgramPair) {
    let names = pair.isSingle ? ("traces", "Once") : ("pair", "Three times")
    self.init(
      "\(names.0)-\(pair.first)-\(pair.second)",
      "\(names.1) \(pair.first) beside \(names.1.lowercased()) \(pair.second).", actions: [],
      rounds: 1...1)
    self.pair = pair
  }

  public init(
    _ name: String, _ summary: String, actions: [ProgramAction], threads: ClosedRange<Int> = 2...4,
    calls: ClosedRange<Int> = 1...3, rounds: ClosedRange<Int> = 1...8, crashes: Bool = false
  ) {
    self.name = name
    self.summary = summary
    self.actions = actions
    self.threads = threads
    self.calls = calls
    self.rounds = rounds
    self.crashes = crashes
  }

  /// How it is explored.
  public enum Kind: String, CaseIterable, Sendable {
    /// Tapes draw what threads do, and when they are switched.
    case programs
    /// Every schedule with few preemptions: `PairExploration`.
    case pairs = "pairs"
    /// Every order of what conflicts: `TraceExploration`.
    case singles = "single calls"
  }

  public var kind: Kind {
    guard let pair else { return .programs }
    return pair.isSingle ? .singles : .pairs
  }

  public func obstacle(for factory: any EngineFactory) -> String? {
    let capabilities = factory.capabilities
    if !capabilities.contains(.simulatable) { return "\(factory.name) cannot be simulated" }
    if !capabilities.contains(.concurrentClients) { return "\(factory.name) takes one client" }
    if let pair {
      let needed = pair.first.requiredCapabilities.union(pair.second.requiredCapabilities)
      return capabilities.isSuperset(of: needed) ? nil : "\(factory.name) lacks what \(name) needs"
    }
    if possible(for: capabilities).isEmpty { return "\(factory.name) lacks what \(name) needs" }
    return nil
  }

  func possible(for capabilities: EngineCapabilities) -> [ProgramAction] {
    actions.filter { capabilities.isSuperset(of: $0.requiredCapabilities) }
  }

  public func run(
    _ factory: any EngineFactory, driver: any ChoiceDriver, options: TapeOptions
  ) -> TapeResult {
    var driver = driver
    if let strategy = options.strategy, pair == nil {
      driver = FixedDriver(driver, label: "strategy", value: strategy.number)
    }
    return InterleavingRun(self, factory, driver: driver, options: options).run()
  }
}

/// How threads are interleaved.
public enum StrategyName: String, CaseIterable, Sendable, Codable {
  /// Switches anywhere, uniformly, as often as each round draws.
  case random
  /// Drawn priorities and a few change points.
  case pct
  /// Every schedule with few preemptions, of pairs.
  case exhaustive
  /// One schedule for each way to order what conflicts, of single calls: dynamic partial-order reduction.
  case dpor

  var number: UInt64 { self == .random ? 0 : 1 }
}

/// What a thread of a program may do.
public enum ProgramAction: String, CaseIterable, Sendable {
  case get, insert, remove, exchange, scanForward, scanBackward, batch, crossTreeBatch
  /// An insert large enough that a leaf of a small page splits.
  case largeInsert
  /// An insert so large that the value lies apart, alone or with others.
  case hugeInsert
  /// A batch so large that its commit lies apart.
  case largeBatch
  case dropTree
  case flush, checkpoint, backgroundWork, evict, clean

  var requiredCapabilities: EngineCapabilities {
    switch self {
    case .get, .insert, .remove, .scanForward, .scanBackward, .largeInsert, .hugeInsert, .flush,
      .backgroundWork, .evict, .clean:
      []
    case .exchange: .compareExchange
    case .batch, .largeBatch: .batches
    case .dropTree: [.namedTrees, .treeRemoval]
    case .crossTreeBatch: [.batches, .crossTreeBatches, .namedTrees]
    case .checkpoint: .checkpoints
    }
  }
}
