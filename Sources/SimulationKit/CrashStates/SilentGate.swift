internal import EngineKit
internal import Platform

/// A gate at which nothing happens: no fault, no switch, no trace, no tape. What is drawn all the
/// same, as where a sector is torn, is the middle.
final class SilentGate: SeamGate, Sendable {
  static let shared = SilentGate()

  func enter(_ call: StaticString) throws(PlatformError) {}
  func strikes(_ fault: FaultClass) -> Bool { false }
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 { bound / 2 }
  func count(_ fault: FaultClass) {}
  func delay(nanoseconds: UInt64) throws(PlatformError) {}
  var tracesBytes: Bool { false }
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {}
}
