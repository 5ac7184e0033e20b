public import EngineKit
public import Platform

extension Simulation: SeamGate {
  public func enter(_ call: StaticString) throws(PlatformError) { try scheduler.step(call) }

  public func strikes(_ fault: FaultClass) -> Bool {
    if faultsAreSuspended || !isAlive { return false }
    return faults.strikes(fault)
  }

  /// 0, and no draw, for a process that has been killed.
  public func draw(_ label: StaticString, below bound: UInt64) -> UInt64 {
    scheduler.isUnwinding ? 0 : diskLane.draw(label, below: bound)
  }

  public func count(_ fault: FaultClass) {
    if !scheduler.isUnwinding { faults.count(fault) }
  }

  public func delay(nanoseconds: UInt64) throws(PlatformError) {
    try scheduler.sleep(nanoseconds: nanoseconds)
  }

  public func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {
    if scheduler.isUnwinding { return }
    trace.record(event, thread: scheduler.current?.id ?? 0, a, b, c)
  }

  public var tracesBytes: Bool { options.tracesBytes }
}
