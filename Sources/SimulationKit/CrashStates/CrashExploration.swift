public import EngineKit
internal import HistoryKit
internal import Platform

/// Goes through a call log, and at each I/O call through every state of the disk that a power cut
/// just before it could have left; recovers from each distinct one, and holds what is found against
/// what the log says was promised by then.
///
/// A *moment* is the point before an I/O call, or the end. What the log's marks before it say was
/// acknowledged and flushed is promised there. Images are told apart by the hash of what a process
/// sees; each is recovered once, and the contents found are held against the promises of every
/// moment at which the image is possible (once for each contents and each change of the promises):
/// so the same image later, when more was promised, is judged by that.
///
/// Same log, same engine, same options: the same hash.
public final class CrashExploration {
  private let calls: [LoggedCall]
  private let factory: any EngineFactory
  let options: CrashStatesOptions
  /// Told before each recovery which state comes, so that whoever outlives a trap knows.
  private let beat: (String) -> Void

  private var replay: LogReplay
  private let judge: Judge
  private var open: [UInt64: Call] = [:]
  private var largestID: UInt64?
  var recovery: ImageRecovery?
  public private(set) var name: String
  var result: CrashStatesResult

  /// Recovered images: what was found, by the image's hash.
  var known: [ContentSum: Int] = [:]
  var images: [KnownImage] = []
  /// Distinct contents, and at which change of the promises each was judged last.
  private var contents: [ContentSum: Int] = [:]
  private var states: [RecoveredState] = []
  private var judgedAt: [Int] = []
  private var verdicts: [Violation?] = []
  /// Changes of what is promised so far.
  private var epoch = 0
  private var hash = Hash128()
  private var peakBytes = 0
  private var moment = 0

  /// One image in so many is written to after its recovery, and recovered once more.
  private static let goesOnOneIn: UInt64 = 8

  /// What is known of an image.
  struct KnownImage {
    /// Index in `states`, or -1.
    var state: Int
    var identifier: UInt64?
    var problem: Violation?
  }

  /// `calls` begins with a mark that names the subject, or has one before its first crash.
  public init(
    _ name: String, _ calls: [LoggedCall], _ factory: any EngineFactory,
    options: CrashStatesOptions = CrashStatesOptions(), beat: @escaping (String) -> Void = { _ in }
  ) {
    self.name = name
    self.calls = calls
    self.factory = factory
    self.options = options
    self.beat = beat
    result = CrashStatesResult(name: name)
    replay = LogReplay(SimulatedDisk())
    judge = Judge(
      checkers: [], capabilities: factory.capabilities, contract: factory.faultContract,
      historyCapacity: 1)
  }

  public func run() -> CrashStatesResult {
    do throws(CallLogError) {
      try prepare()
      try explore()
    } catch {
      result.obstacle = error.description
    }
    result.hash = hash.description
    result.contents = states.count
    return result
  }

  /// Finds the subject, and counts.
  private func prepare() throws(CallLogError) {
    var usesIdentifiers = false
    for call in calls {
      switch call {
      case .mark(.subject(_, let directory, let settings)):
        recovery = ImageRecovery(
          factory, directory: directory, settings: settings, usesIdentifiers: usesIdentifiers)
      case .mark(.began(_, _, let operation)):
        result.operations += 1
        if case .nextID = operation { usesIdentifiers = true }
      case .write(_, _, let bytes): result.bytesWritten += bytes.count
      default: break
      }
    }
    guard let recovery else { throw CallLogError("the log does not say of which engine it is") }
    self.recovery = ImageRecovery(
      factory, directory: recovery.directory, settings: recovery.settings,
      usesIdentifiers: usesIdentifiers)
  }

  private func explore() throws(CallLogError) {
    // What the run began with is there; its making is not part of it.
    var isPart = !calls.contains(.settled)
    let total = calls.reduce(1) { $0 + ($1.isInputOutput ? 1 : 0) }
    for call in calls {
      if case .mark(let mark) = call { try take(mark) }
      if isPart && call.isInputOutput { crash(before: call, of: total) }
      try replay.apply(call)
      if call == .settled { isPart = true }
      peakBytes = max(peakBytes, replay.disk.allocatedBytes)
    }
    crash(before: nil, of: total)
    result.calls = moment
  }

  // MARK: What is promised

  private func take(_ mark: CallMark) throws(CallLogError) {
    epoch += 1
    switch mark {
    case .subject: break
    case .began(let number, let client, let operation):
      open[number] = judge.invoked(client: client, operation, step: moment)
    case .ended(let number, let outcome):
      guard let call = open.removeValue(forKey: number) else {
        throw CallLogError("operation \(number) ends and never began")
      }
      judge.returned(call, outcome, step: moment)
      if case .identifier(let id) = outcome { largestID = max(largestID ?? 0, id) }
    case .opened: judge.opened(nil, step: moment)
    case .recovered(let state): judge.recovered(state, step: moment)
    case .closed: judge.closed(nil, step: moment)
    case .crashed:
      judge.crashed(.processKill, step: moment)
      open = [:]
    }
  }

  // MARK: One moment

  private func crash(before call: LoggedCall?, of total: Int) {
    defer { moment += 1 }
    if let only = options.only, !only.hasPrefix("\(moment):") { return }
    let enumeration = StateEnumeration(PendingChanges(replay.disk, replay.hashes))
    var limit = options.statesOfMoment ?? .max
    if let moments = options.moments, moments < total {
      // Evenly spread: the others only with nothing and all.
      let isChosen = moment * moments / total != (moment + 1) * moments / total
      if !isChosen { limit = min(limit, 2) }
    }
    if options.only != nil { limit = .max }
    if !enumeration.hasSubsets { result.momentsWithoutSubsets += 1 }
    var possible = 0
    if limit < .max { enumeration.visit { _, _, _ in possible += 1 } }
    var number = 0
    // Taken out, so that its tables of hashes may grow while states are gone through.
    var pending = enumeration.pending
    enumeration.visit { kind, ordinal, choices in
      defer { number += 1 }
      if possible > limit, number >= 2, !isSampled(number, possible, limit) {
        result.statesLeftOut += 1
        return
      }
      let id = StateID(moment: moment, kind: kind, ordinal: ordinal)
      if let only = options.only, !id.begins(only) { return }
      result.states[kind.ordinal] += 1
      hold(id, choices, &pending, call)
    }
  }

  /// Spread evenly over all states but the first two.
  private func isSampled(_ number: Int, _ possible: Int, _ limit: Int) -> Bool {
    let most = max(0, limit - 2)
    let of = max(1, possible - 2)
    return (number - 2) * most / of != (number - 1) * most / of
  }

  private func hold(
    _ id: StateID, _ choices: [Int32], _ pending: inout PendingChanges, _ call: LoggedCall?
  ) {
    let image = pending.hash(choices)
    let found = known[image] ?? recoverFrom(id, choices, pending, image)
    hash.combine(image.low)
    if let problem = verdict(on: images[found]) {
      let finding = describe(problem, id, choices, pending, call)
      note(finding)
    }
  }

  private func recoverFrom(
    _ id: StateID, _ choices: [Int32], _ pending: PendingChanges, _ image: ContentSum
  ) -> Int {
    let disk = replay.disk.copy(leaving: choices, of: pending)
    let place = recover(disk, id.text, image)
    result.images += 1
    return place
  }

  /// Recovers from an image that was not known, and with depth 2 crashes that recovery. The disk is
  /// used up.
  private func recover(_ disk: SimulatedDisk, _ id: String, _ image: ContentSum) -> Int {
    let isDeep = options.depth > 1 && result.images < options.imagesCrashed ?? .max
    if options.depth > 1 && !isDeep { result.imagesNotCrashed += 1 }
    let before = isDeep ? disk.fork() : nil
    let log = isDeep ? CallLogMemory() : nil
    let place = learn(disk, id, image, log)
    if let before, let log, images[place].problem == nil {
      crashRecovery(before, log.calls, parent: id, place)
    }
    return place
  }

  /// Recovers from an image, and remembers what was found.
  func learn(
    _ disk: SimulatedDisk, _ id: String, _ image: ContentSum, _ log: CallLogMemory?
  ) -> Int {
    guard let recovery else { preconditionFailure("a log without a subject is not explored") }
    beat(id)
    result.imageBytes += disk.allocatedBytes
    let goesOn = image.low % CrashExploration.goesOnOneIn == 0
    let found = recovery.recover(disk, goesOn: goesOn, log: log)
    result.recoveries += goesOn ? 3 : 2
    var entry = KnownImage(
      state: -1, identifier: found.identifier, problem: found.problems.first)
    if let state = found.state { entry.state = index(of: state, found.fingerprint) }
    if entry.problem == nil { entry.problem = spaceProblem(found.allocatedBytes) }
    hash.combine(found.fingerprint.low)
    hash.combine(found.identifier ?? 0)
    known[image] = images.count
    images.append(entry)
    return images.count - 1
  }

  private func index(of state: RecoveredState, _ fingerprint: ContentSum) -> Int {
    if let place = contents[fingerprint] { return place }
    contents[fingerprint] = states.count
    states.append(state)
    judgedAt.append(-1)
    verdicts.append(nil)
    return states.count - 1
  }

  /// What recovery leaves on disk is no more than the run had, and the files that it begins anew.
  private func spaceProblem(_ bytes: Int) -> Violation? {
    guard let recovery, let kept = factory.spaceKept(recovery.settings) else { return nil }
    if bytes <= peakBytes + 2 * kept { return nil }
    return Violation(
      property: "space",
      detail: "\(bytes) bytes on disk after recovery, where the run had at most \(peakBytes)",
      step: 0)
  }

  /// What is wrong with an image now; nil when nothing is.
  private func verdict(on image: KnownImage) -> Violation? {
    if let problem = image.problem { return problem }
    if let id = image.identifier, let largestID, id <= largestID {
      return Violation(
        property: "identifiers",
        detail: "id \(id) is given out after the crash, and \(largestID) was before", step: 0)
    }
    let place = image.state
    if place < 0 { return nil }
    if judgedAt[place] != epoch {
      judgedAt[place] = epoch
      verdicts[place] = judge.examine(states[place]).first
      result.verified += 1
    }
    return verdicts[place]
  }

  func note(_ finding: CrashFinding) {
    result.failingStates += 1
    hash.combine(UInt64(result.failingStates))
    for (place, other) in result.findings.enumerated() where other.property == finding.property {
      if finding.weight < other.weight { result.findings[place] = finding }
      return
    }
    result.findings.append(finding)
  }
}

/// A state by name: "17:drop:3" is the fourth of the class at moment 17; "17:drop:3/5:all:0" a
/// state of its recovery.
struct StateID {
  var moment: Int
  var kind: StateClass
  var ordinal: Int

  var text: String { "\(moment):\(kind.rawValue):\(ordinal)" }

  /// Whether `name` is this state, or one of its recovery.
  func begins(_ name: String) -> Bool { name == text || name.hasPrefix(text + "/") }
}
