public import EngineKit

/// What happened in a simulation, in numbers.
public struct SimulationCounters: Sendable {
  /// Processes run, crashed ones included.
  public var processes = 0
  public var seamCalls: UInt64 = 0
  public var threadSwitches: UInt64 = 0
  /// Those of the switches that a thread did not ask for.
  public var preemptions: UInt64 = 0
  /// Threads that did not unwind when their process was killed: 0 for a good engine.
  public var abandonedThreads = 0
  /// Every probe that was reached, by name, in ascending order.
  public var probes: [(name: String, count: Int)] = []
  /// Every fault point that was reached, by name, in ascending order; also those not switched on.
  public var faultPointHits: [(name: String, count: Int)] = []
  /// Every fault point that failed, delayed or killed, by name, in ascending order.
  public var faultPointsFired: [(name: String, count: Int)] = []

  private var faults = [Int](repeating: 0, count: FaultClass.allCases.count)

  public init() {}

  /// How often the class met a call of the engine (or, for what a power loss does, a sector).
  public subscript(fault: FaultClass) -> Int {
    get { faults[fault.ordinal] }
    set { faults[fault.ordinal] = newValue }
  }

  /// Processes ended from outside, at a seam call or by a fault point.
  public var crashes: Int { self[.processKill] + self[.powerLoss] + self[.faultPointKill] }
}
