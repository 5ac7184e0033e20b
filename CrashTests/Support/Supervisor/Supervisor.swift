internal import EngineAdapters
internal import EngineKit
internal import HistoryKit
internal import Platform

/// Runs rounds: a child works and is killed, recoveries are killed, another child reads what is left, and the judge of the
/// simulations says whether that may be.
///
/// The judge is told less than happened, never more. A write has returned when its report is met in the pipe, which is
/// later than it did; it was asked for when its client's former report was met, which is earlier than it was. So what the judge
/// takes for one after the other was. Flushes say themselves when they begin.
final class Supervisor {
  let subject: any CrashSubject
  let factory: any EngineFactory
  let options: ProgramOptions
  let platform: PlatformServices
  let root: String
  let judge: Judge
  var tally = Tally()
  var durations = Durations()
  var findings: [String] = []

  // Of the present round.
  var epoch = Epoch(seed: 0, containing: 0)
  var round = 0
  var life = 0
  /// What `ends` tells of the last life in this round.
  var lastKill = "never killed"
  /// How the last process has left the directory.
  var directoryState = DirectoryState.new
  var emptyBytes: Int64?
  var state = RecoveredState(trees: [])
  var step = 0

  init(_ subject: any CrashSubject, _ options: ProgramOptions, _ factory: any EngineFactory) {
    self.subject = subject
    self.options = options
    self.factory = factory
    platform = .real
    root =
      options.directory + "/crash-\(subject.name)-\(options.seed)-\(ThisProcess.number)"
    judge = Judge(
      checkers: Self.checkers.map { $0.make() }, capabilities: factory.capabilities,
      contract: factory.faultContract)
  }

  /// The difference to a model is told by the child, which sees the answers.
  private static let checkers: [CheckerPlan] = [
    .durability, .prefixDurability, .batchAtomicity, .recoveryIdempotence, .structuralInvariants,
    .identifiers, .errorContract,
  ]

  var database: String { root + "/database" }
  /// The database as the last kill has left it.
  var image: String { root + "/killed" }
  var log: String { root + "/output" }
  var settings: EngineSettings {
    CrashSettings.draw(subject, seed: options.seed, directory: epoch.number)
  }

  /// The exit code.
  func run() throws(PlatformError) -> Int32 {
    let began = platform.clock.now()
    try platform.files.createDirectory(root)
    // A trap is a finding; a backtrace of it takes seconds.
    ThisProcess.set("SWIFT_BACKTRACE", to: "enable=no")
    epoch = Epoch(seed: options.seed, containing: options.first)
    round = epoch.rounds.lowerBound
    let end = round + options.rounds + (options.first - epoch.rounds.lowerBound)
    var isFirst = true
    while round < end && findings.isEmpty {
      if isFirst || !epoch.rounds.contains(round) {
        epoch = Epoch(seed: options.seed, containing: round)
        try beginDirectory()
        isFirst = false
      }
      let isLast = round + 1 == end || round + 1 == epoch.rounds.upperBound
      try oneRound(RoundPlan(seed: options.seed, round: round), isLast: isLast)
      tally.rounds += 1
      if findings.isEmpty { round += 1 }
    }
    tally.nanoseconds = platform.clock.now().nanoseconds - began.nanoseconds
    tally.processorNanoseconds = ThisProcess.processorTime
    let isComplete = findings.isEmpty
    for place in tally.neverStruck(
      hasCheckpoints: factory.capabilities.contains(.checkpoints)) where isComplete
    {
      findings.append("coverage: no kill struck in \(place.name)")
    }
    if isComplete { Folder(root, platform.files).erase() }
    say()
    return findings.isEmpty ? 0 : 1
  }

  /// The result on standard output; as JSON, what there is to say of a failure goes to standard error.
  private func say() {
    let name = "crash-" + subject.name
    let failure = findings.isEmpty ? "" : failureText + "\n"
    if options.isJSON {
      print(tally.json(name, engine: factory.name, seed: options.seed, failures: findings))
      ThisProcess.writeError(failure)
    } else {
      print(tally.text(name, engine: factory.name, seed: options.seed))
      print(failure + (findings.isEmpty ? "held" : "violated"))
    }
  }

  // MARK: Directories

  private func beginDirectory() throws(PlatformError) {
    Folder(database, platform.files).erase()
    judge.abandoned(step: step)
    state = RecoveredState(trees: [])
    directoryState = .new
    tally.directories += 1
    emptyBytes = nil
    guard factory.spaceKept(settings) != nil else { return }
    // What a database of these settings takes that nobody has written to.
    var child = childOptions(.check)
    child.directory = root + "/empty"
    child.ending = .measure
    let result = try listen(child, nil) { report in
      if report.kind == .space { self.emptyBytes = Int64(report.word) }
    }
    _ = judgeEnd(result, "measuring a new database")
    Folder(child.directory, platform.files).erase()
  }

  // MARK: Rounds

  private func oneRound(_ plan: RoundPlan, isLast: Bool) throws(PlatformError) {
    lastKill = "never killed"
    try live(plan)
    for part in plan.recoveries where findings.isEmpty && directoryState == .crashed {
      try killRecovery(part)
    }
    guard findings.isEmpty else { return }
    try Folder(database, platform.files).copy(to: image)
    if plan.readsTwice {
      try check(.wait)
      guard findings.isEmpty else { return }
    }
    let next = RoundPlan(seed: options.seed, round: round + 1)
    try check(isLast ? .empty : plan.settles ? .settle : next.beginsClosed ? .close : .wait)
  }

  /// Something is wrong, and the run ends with this round.
  func find(_ property: String, _ detail: String) { findings.append("\(property): \(detail)") }

  func takeViolations() {
    for violation in judge.violations { find(violation.property, violation.detail) }
  }

  // MARK: Children

  func childOptions(_ task: ChildOptions.Task) -> ChildOptions {
    var child = ChildOptions()
    child.task = task
    child.engine = factory.name
    child.directory = database
    child.seed = options.seed
    child.epoch = epoch.number
    child.life = life
    return child
  }

  func listen(
    _ child: ChildOptions, _ strike: Strike?, _ heard: (Report) -> Void
  ) throws(PlatformError) -> ChildResult {
    let run = ChildRun(
      platform: platform, program: options.program, log: log,
      patience: UInt64(options.patience) * 1_000_000_000)
    let began = platform.clock.now()
    let result = try run.run(child, strike, measuring: &durations, directoryState)
    if options.isVerbose { trace(child, strike, result, since: began) }
    for report in result.reports {
      step += 1
      heard(report)
    }
    return result
  }

  private func trace(
    _ child: ChildOptions, _ strike: Strike?, _ result: ChildResult, since began: Instant
  ) {
    let aim = strike.map { "\($0.trigger) + \($0.delay / 1000) us" } ?? "nothing"
    let took = (platform.clock.now().nanoseconds - began.nanoseconds) / 1000
    ThisProcess.writeError(
      "round \(round): \(child.task) of a directory that is \(directoryState), aimed at \(aim): "
        + "\(result.end) in \(result.phase), \(result.place(directoryState).name), "
        + "\(result.reports.count) reports, \(took) us\n")
  }

  /// Whether the child ended as it was to; if not, why, among the findings.
  func judgeEnd(_ result: ChildResult, _ doing: String) -> Bool {
    if let stuck = result.stuck {
      find(
        "progress",
        "\(doing): nothing was heard for \(options.patience) s, in phase \(result.phase); "
          + "threads: \(stuck)")
      return false
    }
    if result.nonsense {
      find("protocol", "\(doing): the child wrote what is no report")
      return false
    }
    if result.isStruck { return true }
    switch result.end {
    case .exit(0): return true
    case .exit(3): return findings.isEmpty ? refused(doing) : false
    case .exit(let code): find("trap", "\(doing): the child ended with code \(code); \(lastWords)")
    case .signal(let number):
      find("trap", "\(doing): the child died of signal \(number); \(lastWords)")
    }
    return false
  }

  /// A child that could not open or close has said why, and the judge knows whether it may.
  private func refused(_ doing: String) -> Bool {
    takeViolations()
    if findings.isEmpty { find("error-contract", "\(doing): refused") }
    return false
  }

  /// What the child said on its way out.
  private var lastWords: String {
    let text = ProcessStatus.text(log, platform.files)
    let lines = text.split(separator: "\n").prefix(3)
    return lines.isEmpty ? "it said nothing" : "it said: " + lines.joined(separator: " / ")
  }
}
