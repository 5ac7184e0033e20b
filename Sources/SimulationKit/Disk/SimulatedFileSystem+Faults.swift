internal import EngineKit
internal import Platform

/// The head of every call, and the faults that several calls share.
extension SimulatedFileSystem {
  /// Nanoseconds for which a stuck call does not return: longer than anybody should wait for it.
  static let stuckFor: UInt64 = 30_000_000_000

  /// Enters a seam call. Everything looked up before it may have changed behind it.
  func enter(_ call: StaticString) throws(PlatformError) -> any SeamGate {
    guard let gate = incarnation.gate else {
      throw PlatformError(.killed, operation: "\(call)")
    }
    try gate.enter(call)
    // Another thread may have ended the process while this one waited.
    if incarnation.gate == nil { throw PlatformError(.killed, operation: "\(call)") }
    return gate
  }

  /// Meets latency: the call takes from a tenth of a millisecond to a second. Others run meanwhile.
  func delay(_ gate: any SeamGate) throws(PlatformError) {
    if gate.strikes(.stuckCall) {
      try gate.delay(nanoseconds: SimulatedFileSystem.stuckFor)
      if incarnation.gate == nil { throw PlatformError(.killed, operation: "delay") }
    }
    if !gate.strikes(.latency) { return }
    var nanoseconds: UInt64 = 100_000
    var left = gate.draw("latency", below: 5)
    while left > 0 {
      nanoseconds *= 10
      left -= 1
    }
    try gate.delay(nanoseconds: nanoseconds)
    if incarnation.gate == nil { throw PlatformError(.killed, operation: "delay") }
  }

  func meetReadError(
    _ gate: any SeamGate, _ operation: String, _ path: String, _ offset: Int64? = nil
  ) throws(PlatformError) {
    if gate.strikes(.readError) {
      throw PlatformError(
        .inputOutput, operation: operation, path: path, offset: offset, detail: "injected")
    }
  }

  func meetWriteError(
    _ gate: any SeamGate, _ operation: String, _ path: String, _ offset: Int64? = nil
  ) throws(PlatformError) {
    if gate.strikes(.writeError) {
      throw PlatformError(
        .inputOutput, operation: operation, path: path, offset: offset, detail: "injected")
    }
  }

  func meetNoSpace(
    _ gate: any SeamGate, _ operation: String, _ path: String, _ offset: Int64? = nil
  ) throws(PlatformError) {
    if gate.strikes(.noSpace) {
      throw PlatformError(
        .noSpace, operation: operation, path: path, offset: offset, detail: "injected")
    }
  }

  /// Ends this process alone: its handles and locks, not what it wrote. Others stay.
  public func end() { disk.end(incarnation) }
}
