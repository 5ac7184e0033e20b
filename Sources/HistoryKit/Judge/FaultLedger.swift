public import EngineKit

/// Which faults the engine met, at the reaches that the properties ask for.
public struct FaultLedger: Sendable {
  /// Counts over the whole run, by the place of the class in `FaultClass.allCases`.
  private var total = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// Since the last recovery whose contents were seen.
  private var sinceRecovery = [Int](repeating: 0, count: FaultClass.allCases.count)
  /// Since the database was made: what damaged the disk stays on it.
  private var sinceCreation = [Int](repeating: 0, count: FaultClass.allCases.count)

  public init() {}

  mutating func add(_ fault: FaultClass) {
    let place = Self.place(of: fault)
    total[place] += 1
    sinceRecovery[place] += 1
    sinceCreation[place] += 1
  }

  mutating func recovered() {
    sinceRecovery = [Int](repeating: 0, count: FaultClass.allCases.count)
  }

  mutating func abandoned() {
    recovered()
    sinceCreation = sinceRecovery
  }

  public func count(_ fault: FaultClass) -> Int { total[Self.place(of: fault)] }
  public func metSinceRecovery(_ fault: FaultClass) -> Bool {
    sinceRecovery[Self.place(of: fault)] > 0
  }
  public func metSinceCreation(_ fault: FaultClass) -> Bool {
    sinceCreation[Self.place(of: fault)] > 0
  }

  /// Whether it was met in the life of this database before the last recovery.
  public func metBeforeRecovery(_ fault: FaultClass) -> Bool {
    let place = Self.place(of: fault)
    return sinceCreation[place] > sinceRecovery[place]
  }

  /// Whether something has damaged the disk since the last recovery.
  public var metLastingDamage: Bool {
    for fault in FaultClass.allCases where fault.isLasting && metSinceRecovery(fault) {
      return true
    }
    return false
  }

  private static func place(of fault: FaultClass) -> Int {
    // Few cases, fewer faults: a search is enough.
    FaultClass.allCases.firstIndex(of: fault) ?? 0
  }
}
