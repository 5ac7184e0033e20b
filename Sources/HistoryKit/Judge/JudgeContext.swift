public import EngineKit

/// What every checker may know: where the run stands, what was promised, and what was written.
public final class JudgeContext {
  public let capabilities: EngineCapabilities
  public let contract: FaultContract
  /// Every write since the last recovery whose fate a crash could still decide.
  public let writes = WriteLog()
  /// Which faults the engine met.
  public internal(set) var faults = FaultLedger()
  /// True when the database met a class for which its contract promises nothing: from then on
  /// nothing about it can be judged.
  public internal(set) var isBeyondContract = false
  /// Calls under way, in the order of invocation.
  public internal(set) var active: [Call] = []
  /// Scans under way whose state is fixed, by number of the call, and the event before which it was.
  var snapshots: [(call: Int, before: Int)] = []
  /// The place of the present event in the order of all events.
  public internal(set) var sequence = 0
  /// The caller's step counter at the present event.
  public internal(set) var step = 0
  /// The life of the process, from 0.
  public internal(set) var incarnation = 0
  public internal(set) var violations: [Violation] = []
  /// Violations found, also those beyond `violationLimit`, which are not kept.
  public internal(set) var violationCount = 0

  /// One defect may break a property a thousand times; the first few say it all.
  static let violationLimit = 32

  init(capabilities: EngineCapabilities, contract: FaultContract) {
    self.capabilities = capabilities
    self.contract = contract
  }

  public func report(_ property: String, _ detail: String) {
    violationCount += 1
    if violations.count < Self.violationLimit {
      violations.append(Violation(property: property, detail: detail, step: step))
    }
  }

  /// The event before which the state was fixed that a scan shows: at the latest, the present one.
  func snapshotEnd(of call: Call) -> Int {
    for snapshot in snapshots where snapshot.call == call.number {
      return min(snapshot.before, sequence)
    }
    return sequence
  }

  /// Whether a scan is under way that holds a state fast.
  public var holdsSnapshot: Bool { !snapshots.isEmpty }

  /// The earliest invocation among the calls under way; `.max` when there is none.
  public var earliestActive: Int {
    var earliest = Int.max
    var index = 0
    while index < active.count {
      if active[index].invokedAt < earliest { earliest = active[index].invokedAt }
      index += 1
    }
    return earliest
  }
}
