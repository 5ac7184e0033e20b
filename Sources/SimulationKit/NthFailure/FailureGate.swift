internal import EngineKit
internal import Platform

/// A gate at which nothing happens but one failure: the n-th call that it can meet fails, once or from then on.
final class FailureGate: SeamGate, @unchecked Sendable {
  // Unchecked: for one thread at a time.
  private let failure: PlannedFailure?
  private var call: StaticString = ""
  /// By place of the kind: calls that could meet it.
  private(set) var opportunities = [Int](repeating: 0, count: FailureKind.allCases.count)
  /// The classes that have met a call since `takeMet` was called last.
  private var met: [FaultClass] = []
  /// The first call that was met.
  private(set) var firstCall: String?
  private(set) var calls = 0
  /// No failure strikes: the disk has been repaired, or somebody only looks.
  var isSuspended = false

  init(_ failure: PlannedFailure?) { self.failure = failure }

  func takeMet() -> [FaultClass] {
    let taken = met
    met = []
    return taken
  }

  func enter(_ call: StaticString) throws(PlatformError) {
    self.call = call
    calls += 1
    if fails(.error) {
      throw PlatformError(.inputOutput, operation: "\(call)", detail: "injected")
    }
  }

  func strikes(_ fault: FaultClass) -> Bool {
    for kind in FailureKind.allCases where kind.fault == fault { return fails(kind) }
    return false
  }

  private func fails(_ kind: FailureKind) -> Bool {
    if isSuspended { return false }
    let place = FailureKind.allCases.firstIndex(of: kind) ?? 0
    opportunities[place] += 1
    guard let failure, failure.kind == kind else { return false }
    let number = opportunities[place]
    guard number == failure.number || failure.isForGood && number > failure.number else {
      return false
    }
    met.append(kind.contractClass(of: call))
    if firstCall == nil { firstCall = "\(call)" }
    return true
  }

  /// A power loss takes everything; what else is drawn, as where a write is cut, is the middle.
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 {
    "\(label)" == "loss.mode" ? min(1, bound - 1) : bound / 2
  }

  func count(_ fault: FaultClass) {}
  func delay(nanoseconds: UInt64) throws(PlatformError) {}
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {}
}
