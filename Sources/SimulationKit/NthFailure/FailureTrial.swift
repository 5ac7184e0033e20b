public import EngineKit
internal import HistoryKit
internal import Platform

/// How a run in which a call failed came out.
public struct FailureResult: Sendable {
  public enum Outcome: String, CaseIterable, Sendable {
    case notMet = "no call met it"
    case healed = "nobody was told, and nothing was lost"
    case openingFailed = "an opening failed, and the next one came through"
    case wentOn = "an operation failed, and writes went on"
    case stopped = "an operation failed, and writes were refused until the next opening"
    case lastWrite = "an operation failed, and no write came after it"
    case closeFailed = "closing failed, and the next opening came through"
    case violated = "VIOLATED"
  }

  public var outcome: Outcome
  /// The call that failed first, and when.
  public var call: String
  public var violation: String?
  /// Calls of the file system.
  public var calls: Int
}

/// Runs the steps of a run with one failure, and has everything judged.
///
/// In every life the judge is told of what clients see. Where an opening fails the disk is repaired and the next one
/// must come through. After the last step the process ends in the planned way, the disk is repaired, and the
/// database must open, hold what it promised, verify, and take writes again.
public final class FailureTrial {
  private let run: CrashRun
  private let factory: any EngineFactory
  private let gate: FailureGate
  private let failure: PlannedFailure?
  private let judge: Judge
  private let disk = SimulatedDisk()
  private var next = 0
  private var phase = "making"
  private var metIn: String?
  /// An operation of this life has failed.
  private var hasFailed = false
  private var operationsFailed = 0
  private var writesSince = 0
  private var refusedSince = 0
  private var openingsFailed = 0
  private var closesFailed = 0
  private var violation: String?

  private static let directory = "/database"

  private init(_ run: CrashRun, _ factory: any EngineFactory, _ failure: PlannedFailure?) {
    self.run = run
    self.factory = factory
    self.failure = failure
    gate = FailureGate(failure)
    judge = Judge(
      checkers: CheckerRegistry.standard.map { $0.make() }, capabilities: factory.capabilities,
      contract: factory.faultContract)
  }

  /// How many calls of a run with this ending each kind of failure can meet, in the order of kinds.
  public static func opportunities(
    _ run: CrashRun, _ factory: any EngineFactory, _ ending: PlannedFailure.Ending
  ) -> [Int] {
    // There is no call with the number 0.
    let trial = FailureTrial(
      run, factory, PlannedFailure(.error, number: 0, isForGood: false, ending: ending))
    _ = trial.perform()
    return trial.gate.opportunities
  }

  public static func perform(
    _ run: CrashRun, _ factory: any EngineFactory, _ failure: PlannedFailure?
  ) -> FailureResult {
    FailureTrial(run, factory, failure).perform()
  }

  private func perform() -> FailureResult {
    gate.isSuspended = true
    let root = disk.mount(gate)
    do throws(PlatformError) {
      try root.createDirectory(Self.directory)
      try root.syncDirectory("/")
    } catch { violation = "the directory cannot be made: \(error)" }
    root.end()
    gate.isSuspended = false
    disk.capacity = run.capacity
    var lives = 0
    while next < run.steps.count && violation == nil {
      lives += 1
      live(isFirst: lives == 1)
    }
    if violation == nil { look() }
    disk.processKill()
    return FailureResult(
      outcome: outcome, call: metIn ?? "nowhere", violation: violation, calls: gate.calls)
  }

  private var outcome: FailureResult.Outcome {
    if violation != nil { return .violated }
    if metIn == nil { return .notMet }
    if openingsFailed > 0 { return .openingFailed }
    if operationsFailed > 0 {
      if writesSince > 0 { return .wentOn }
      return refusedSince > 0 ? .stopped : .lastWrite
    }
    return closesFailed > 0 ? .closeFailed : .healed
  }

  // MARK: Lives

  private func live(isFirst: Bool) {
    let world = SoleWorld()
    let files = disk.mount(gate)
    let platform = world.platform(files)
    phase = isFirst ? "creation" : "opening"
    hasFailed = false
    guard let engine = open(platform) else {
      end(.processKill)
      return
    }
    if !isFirst { read(engine) }
    phase = "work"
    while next < run.steps.count && violation == nil {
      let step = run.steps[next]
      next += 1
      switch step {
      case .perform(let operation): perform(operation, 0, engine)
      case .together(let clients):
        for (client, operations) in clients.enumerated() {
          for operation in operations { perform(operation, client, engine) }
        }
      case .pause: break
      case .reopen:
        close(engine)
        return
      case .kill:
        end(.processKill)
        return
      }
    }
    if world.isStuck { violation = "the process waits for what cannot come" }
    if violation != nil { return }
    switch failure?.ending ?? .close {
    case .close: close(engine)
    case .kill: end(.processKill)
    case .powerLoss: end(.powerLoss)
    }
  }

  /// Nil: it failed. The next opening finds a disk that was repaired.
  private func open(_ platform: PlatformServices) -> (any KeyValueEngine)? {
    do throws(EngineError) {
      let engine = try factory.open(Self.directory, on: platform, settings: run.settings)
      tellFaults()
      judge.opened(nil, step: next)
      takeViolations()
      return engine
    } catch {
      tellFaults()
      judge.opened(error, step: next)
      openingsFailed += 1
      if gate.isSuspended { violation = "the opening after the repair failed: \(error)" }
      gate.isSuspended = true
      takeViolations()
      return nil
    }
  }

  /// Reads everything, without a failure, and holds it against all that is known.
  private func read(_ engine: any KeyValueEngine) {
    let wasSuspended = gate.isSuspended
    gate.isSuspended = true
    defer { gate.isSuspended = wasSuspended }
    do throws(EngineError) {
      let state = try RecoveredState(of: engine)
      let findings = try engine.checkInvariants()
      judge.recovered(state, step: next)
      judge.inspected(findings, step: next)
      for tree in state.trees where try engine.count(in: tree.name) != tree.forward.count {
        violation = "tree \"\(tree.name)\" does not count what it shows"
      }
    } catch { violation = "reading all after an opening failed: \(error)" }
    takeViolations()
  }

  private func perform(_ operation: Operation, _ client: Int, _ engine: any KeyValueEngine) {
    let call = judge.invoked(client: client, operation, step: next)
    let outcome = engine.perform(operation)
    tellFaults()
    // A disk that is full is part of some runs.
    if case .failure(.noSpace, _, _) = outcome, run.capacity != nil {
      judge.met(.noSpace, step: next)
    }
    judge.returned(call, outcome, step: next)
    if case .failure(let code, _, _) = outcome {
      if hasFailed, code == .refused { refusedSince += 1 }
      hasFailed = true
      operationsFailed += 1
    } else if hasFailed, operation.mayWrite {
      writesSince += 1
    }
    takeViolations()
  }

  private func close(_ engine: any KeyValueEngine) {
    phase = "closing"
    var failure: EngineError?
    do throws(EngineError) { try engine.close() } catch { failure = error }
    tellFaults()
    judge.closed(failure, step: next)
    if failure != nil { closesFailed += 1 }
    takeViolations()
    disk.processKill()
  }

  private func end(_ kind: CrashKind) {
    tellFaults()
    switch kind {
    case .processKill: disk.processKill()
    case .powerLoss: disk.powerLoss(choosing: gate, allowing: .all)
    }
    judge.crashed(kind, step: next)
  }

  /// The last life: nothing fails any more.
  private func look() {
    gate.isSuspended = true
    disk.capacity = nil
    phase = "the last opening"
    let world = SoleWorld()
    guard let engine = open(world.platform(disk.mount(gate))) else { return }
    read(engine)
    let key = Array("written after all".utf8)
    perform(.insert(key, for: key, in: .default), 0, engine)
    perform(.flush, 0, engine)
    perform(.get(key, in: .default), 0, engine)
    if factory.capabilities.contains(.identifiers) { perform(.nextID, 0, engine) }
    if violation != nil { return }
    do throws(EngineError) { try engine.close() } catch {
      violation = "closing after the repair failed: \(error)"
    }
  }

  private func tellFaults() {
    for fault in gate.takeMet() {
      if metIn == nil { metIn = "\(gate.firstCall ?? "call") in \(phase)" }
      judge.met(fault, step: next)
    }
  }

  private func takeViolations() {
    if violation == nil, let first = judge.violations.first { violation = first.description }
  }
}

extension Operation {
  /// Whether an engine that has stopped refuses it.
  fileprivate var mayWrite: Bool {
    switch self {
    case .insert, .batch, .flush, .checkpoint: true
    default: false
    }
  }
}
