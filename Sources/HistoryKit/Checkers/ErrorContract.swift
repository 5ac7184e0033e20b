internal import EngineKit

/// An engine fails only when its contract lets it.
///
/// - An operation fails with an error only after the engine met a fault that it `reports`, in this life of
///   the process. A fault that it `survives` must leave no trace.
/// - An opening fails only when such a fault was met since the last successful recovery; and, unless
///   the disk may be damaged, only once for what happened before it: the next attempt must succeed.
/// - Corruption is reported only where the disk may really be damaged.
/// - Memory is used up only beside a cursor that is held, or such a fault.
/// - "Killed" is said only by a process that is dying; "closed", "locked" and "unsupported" only
///   where they are true.
///
/// Sound: each condition repeats the contract's words (`FaultResponse`); what damages the disk counts for
/// as long as the database lives, pages dropped by a failed sync until a recovery was read whole, any other fault in the life of
/// the process that met it and the opening after.
public final class ErrorContract: Checker {
  public let property = "error-contract"
  /// A fault that the contract lets the engine report was met in this life of the process.
  private var reportable = false
  /// The same since the last successful opening; it excuses one failed opening.
  private var openingExcused = false
  /// Bits on the disk have rotted: they stay so until the database is abandoned.
  private var rotten = false
  /// A read has returned what is not there: in this life it may look like damage.
  private var misled = false
  /// A failed sync dropped pages that the engine believed written: until a recovery was seen whole.
  private var dropped = false
  private var damaged: Bool { rotten || dropped || misled }
  /// Clients that were told that the process was killed, while it has not ended.
  private var told: [Int] = []
  /// The last few drops that were under way: an operation beside one may find no tree.
  private var drops: [(call: Call, tree: TreeName, returned: Int)] = []

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    switch event {
    case .met(let fault): met(fault, context)
    case .invoked(let call):
      if case .dropTree(let tree) = call.operation { drops.append((call, tree, .max)) }
      if told.contains(call.client) {
        told.removeAll { $0 == call.client }
        context.report(property, "an operation said that the process was killed; it was not")
      }
    case .returned(let call, let outcome): returned(call, outcome, context)
    case .crashed:
      ended()
      openingExcused = openingExcused || reportable
      reportable = false
      misled = false
    case .closed(let failure):
      ended()
      if let failure, !reportable, !context.isBeyondContract, failure.code != .killed {
        context.report(property, "closing failed without a cause: \(failure.description)")
      }
      openingExcused = openingExcused || reportable
      reportable = false
      misled = false
    case .opened(let failure): opened(failure, context)
    case .recovered: dropped = false
    case .abandoned:
      ended()
      reportable = false
      openingExcused = false
      rotten = false
      misled = false
      dropped = false
    default: break
    }
  }

  private func ended() {
    told.removeAll(keepingCapacity: true)
    drops.removeAll(keepingCapacity: true)
  }

  private func met(_ fault: FaultClass, _ context: JudgeContext) {
    if context.contract[fault] == .survives { return }
    reportable = true
    openingExcused = true
    if fault.isLasting { rotten = true }
    if fault.isMisleading { misled = true }
    if fault == .syncFailure { dropped = true }
  }

  private func opened(_ failure: EngineError?, _ context: JudgeContext) {
    defer {
      // What happened before this attempt has had its say.
      openingExcused = false
      if failure != nil {
        reportable = false
        misled = false
      }
    }
    guard let failure else { return }
    if context.isBeyondContract || failure.code == .killed { return }
    if failure.code == .corruption, !damaged {
      context.report(property, "a false report of corruption: \(failure.description)")
    } else if !openingExcused, !damaged {
      context.report(property, "opening failed without a cause: \(failure.description)")
    }
  }

  private func returned(_ call: Call, _ outcome: Outcome, _ context: JudgeContext) {
    if case .dropTree = call.operation {
      for place in drops.indices where drops[place].call === call {
        drops[place].returned = context.sequence
      }
      if drops.count > 16 { drops.removeAll { $0.returned < context.earliestActive } }
    }
    guard case .failure(let code, let message, _) = outcome, !context.isBeyondContract else {
      return
    }
    let what = "\(Described.operation(call.operation)) failed with \(code.rawValue): \(message)"
    switch code {
    case .killed: told.append(call.client)
    case .corruption:
      if !damaged { context.report(property, "a false report of corruption: \(what)") }
    case .unsupported:
      if isSupported(call.operation, context.capabilities) { context.report(property, what) }
    case .treeNotFound:
      if !metDrop(call) { context.report(property, "no drop explains it: \(what)") }
    case .closed, .locked, .invalidArgument:
      if !reportable { context.report(property, what) }
    case .exhausted:
      if !reportable && !context.holdsSnapshot {
        context.report(property, "nobody holds anything: \(what)")
      }
    case .inputOutput, .noSpace, .refused, .other:
      if !reportable && !damaged { context.report(property, "no fault explains it: \(what)") }
    }
  }

  private func metDrop(_ call: Call) -> Bool {
    for drop in drops where drop.returned > call.invokedAt {
      switch call.operation {
      case .get(_, let tree), .insert(_, _, let tree), .remove(_, let tree),
        .compareExchange(_, _, _, let tree), .scan(_, _, _, let tree), .count(let tree),
        .dropTree(let tree):
        if tree == drop.tree { return true }
      case .batch(let writes):
        if writes.contains(where: { $0.tree == drop.tree }) { return true }
      default: break
      }
    }
    return false
  }

  private func isSupported(_ operation: Operation, _ has: EngineCapabilities) -> Bool {
    switch operation {
    case .compareExchange: return has.contains(.compareExchange)
    case .batch: return has.contains(.batches)
    case .checkpoint: return has.contains(.checkpoints)
    case .nextID: return has.contains(.identifiers)
    case .dropTree: return has.contains(.treeRemoval)
    default: return true
    }
  }
}

extension CheckerPlan {
  public static let errorContract = CheckerPlan(
    "error-contract", "The engine fails only when its fault contract lets it."
  ) { ErrorContract() }
}
