public import EngineKit

/// Follows one run of an engine and says what it did wrong.
///
/// The harness tells it everything in the order in which it happened, and calls must not overlap:
///
///     invoked ... returned          for each operation of each client
///     met                           for each fault that met a call of the engine, when it does
///     crashed, opened, recovered    after each crash, with the full contents found
///
/// Rules for the caller:
/// - `crashed` ends every call under way; those are never returned. A call that did return with
///   `.failure(.killed)` is the same as one that never returned.
/// - A crash during an opening is another `crashed`; an opening that failed may be tried again.
/// - `recovered` comes after each successful opening of a database that existed before, and
///   before the first operation. To check that recovery is idempotent: crash, open and
///   call `recovered` again without an operation in between.
/// - `abandoned` says that the directory was given up and a new, empty one is used from here on.
public final class Judge {
  public let context: JudgeContext
  public let checkers: [any Checker]
  public private(set) var history: History
  private var calls = 0

  /// `historyCapacity`: how many of the last events to keep for a report.
  public init(
    checkers: [any Checker], capabilities: EngineCapabilities, contract: FaultContract,
    historyCapacity: Int = 512
  ) {
    self.checkers = checkers
    self.context = JudgeContext(capabilities: capabilities, contract: contract)
    self.history = History(capacity: historyCapacity)
  }

  /// The first violations, at most 32.
  public var violations: [Violation] { context.violations }
  public var holds: Bool { context.violationCount == 0 }

  /// A client asks for an operation. Give the call back to `returned`.
  public func invoked(client: Int, _ operation: Operation, step: Int) -> Call {
    begin(step)
    let call = Call(
      number: calls, client: client, operation: operation, incarnation: context.incarnation,
      invokedAt: context.sequence, invokedStep: step)
    calls += 1
    context.active.append(call)
    context.writes.invoked(call)
    tell(.invoked(call))
    return call
  }

  public func returned(_ call: Call, _ outcome: Outcome, step: Int) {
    begin(step)
    if let place = context.active.firstIndex(where: { $0 === call }) {
      context.active.remove(at: place)
    }
    context.writes.returned(call, outcome, at: context.sequence)
    tell(.returned(call, outcome))
    context.snapshots.removeAll { $0.call == call.number }
  }

  /// The scan that was invoked shows the state at a moment before now, however late it returns: its cursor
  /// is there. For engines with `.snapshotScans`.
  public func tookSnapshot(_ call: Call) {
    context.snapshots.append((call.number, context.sequence + 1))
  }

  /// A fault met a call of the engine.
  public func met(_ fault: FaultClass, step: Int) {
    begin(step)
    context.faults.add(fault)
    if context.contract[fault] == .outOfScope { context.isBeyondContract = true }
    tell(.met(fault))
  }

  /// The process ended. `faultsMet`: those not told by `met` already.
  public func crashed(_ kind: CrashKind, faultsMet: [FaultClass] = [], step: Int) {
    for fault in faultsMet { met(fault, step: step) }
    begin(step)
    context.active.removeAll(keepingCapacity: true)
    context.snapshots.removeAll(keepingCapacity: true)
    context.incarnation += 1
    tell(.crashed(kind))
  }

  /// An attempt to open the database ended; nil when it succeeded.
  public func opened(_ failure: EngineError?, step: Int) {
    begin(step)
    tell(.opened(failure))
  }

  /// The contents found after an opening.
  public func recovered(_ state: RecoveredState, step: Int) {
    begin(step)
    tell(.recovered(state))
    context.writes.rebase(on: state)
    context.faults.recovered()
  }

  /// What `checkInvariants` answered.
  public func inspected(_ findings: [String], step: Int) {
    begin(step)
    tell(.inspected(findings))
  }

  /// `close` returned, with no call under way; nil when it succeeded. Then everything is durable.
  public func closed(_ failure: EngineError?, step: Int) {
    begin(step)
    context.incarnation += 1
    if failure == nil { context.writes.everythingIsDurable(at: context.sequence) }
    tell(.closed(failure))
  }

  /// The database was given up; the next opening makes a new, empty one.
  public func abandoned(step: Int) {
    begin(step)
    context.active.removeAll(keepingCapacity: true)
    context.snapshots.removeAll(keepingCapacity: true)
    context.incarnation += 1
    context.writes.rebase(on: RecoveredState(trees: []))
    context.faults.abandoned()
    context.isBeyondContract = false
    tell(.abandoned)
  }

  private func begin(_ step: Int) {
    context.sequence += 1
    context.step = step
  }

  private func tell(_ event: HistoryEvent) {
    history.append(event, sequence: context.sequence, step: context.step)
    var index = 0
    while index < checkers.count {
      checkers[index].observe(event, in: context)
      index += 1
    }
  }
}
