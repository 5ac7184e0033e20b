internal import EngineKit
internal import HistoryKit
internal import Platform

/// The simulation as the disk sees it, and an ambush: the process can be ended at the moment when it asks for
/// a sync, which is when most is at stake. Ends at a drawn seam call hardly ever find unsynced sectors.
final class CrashGate: SeamGate {
  private let simulation: Simulation
  /// Syncs until the end, that one included; 0 is never.
  private var syncsLeft = 0
  private var kind = CrashKind.processKill

  init(_ simulation: Simulation) { self.simulation = simulation }

  /// Ends the process when it asks for the `count`-th sync from now on.
  func ambush(atSync count: Int, _ kind: CrashKind) {
    syncsLeft = count
    self.kind = kind
  }

  func enter(_ call: StaticString) throws(PlatformError) {
    if syncsLeft > 0 && CrashGate.isSync(call) {
      syncsLeft -= 1
      if syncsLeft == 0 { simulation.killNow(kind) }
    }
    try simulation.enter(call)
  }

  /// "syncData", "syncAll", "syncDirectory"; no other call begins so.
  private static func isSync(_ call: StaticString) -> Bool {
    // A literal of at least two bytes: every seam call has a name.
    unsafe call.utf8CodeUnitCount > 2 && call.utf8Start[0] == 0x73 && call.utf8Start[1] == 0x79
  }

  func strikes(_ fault: FaultClass) -> Bool { simulation.strikes(fault) }
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 {
    simulation.draw(label, below: bound)
  }
  func count(_ fault: FaultClass) { simulation.count(fault) }
  func delay(nanoseconds: UInt64) throws(PlatformError) {
    try simulation.delay(nanoseconds: nanoseconds)
  }
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {
    simulation.record(event, a, b, c)
  }
  var tracesBytes: Bool { simulation.tracesBytes }
}
