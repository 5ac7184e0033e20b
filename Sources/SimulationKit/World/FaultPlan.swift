public import EngineKit

/// Which faults a run has, and how rare each is. Drawn once a run (a *swarm*: most runs have few
/// classes), then met by the tape, call by call.
public struct FaultPlan: Equatable, Sendable {
  private var rarities = [UInt64](repeating: 0, count: FaultClass.allCases.count)
  /// The fault points that are on, in ascending order of their names. Which of error, delay and kill
  /// they may answer with is said by the classes `faultPointError`, `faultPointDelay` and
  /// `faultPointKill` being on.
  public private(set) var points: [Point] = []

  public struct Point: Equatable, Sendable {
    public var name: String
    /// It fires once in so many hits.
    public var oneIn: UInt64
    public init(_ name: String, oneIn: UInt64) {
      self.name = name
      self.oneIn = oneIn
    }
  }

  /// No faults.
  public init() {}

  /// The class strikes once in so many calls that it could strike; 1 always, 0 never.
  public subscript(fault: FaultClass) -> UInt64 {
    get { rarities[fault.ordinal] }
    set { rarities[fault.ordinal] = newValue }
  }

  /// Switches a fault point on; with 0, off.
  public mutating func setPoint(_ name: String, oneIn: UInt64) {
    points.removeAll { $0.name == name }
    if oneIn == 0 { return }
    var place = 0
    while place < points.count && points[place].name < name { place += 1 }
    points.insert(Point(name, oneIn: oneIn), at: place)
  }

  /// The classes that are on, in the order of their declaration.
  public var classes: [FaultClass] { FaultClass.allCases.filter { self[$0] != 0 } }
}
