internal import EngineKit
internal import Platform

/// Holds the changes of a simulated disk against an engine's rules on their order, one by one, at the
/// moment at which they take effect.
///
/// What a rule reads it reads from a copy of the disk, so nothing is drawn, traced, counted or switched by it.
///
/// Sound as far as the rules are: the copy holds what a power loss at this moment may leave, the one
/// that takes all that is not synced. A disk that has decayed says nothing about orders, nor one whose syncs lie.
final class StorageWatch {
  private let rules: [any StorageRule]
  /// Nothing is judged while it says so.
  private let isBlind: () -> Bool
  /// Takes the first violation.
  private let report: (String) -> Void
  /// Changes that a rule has looked at.
  private(set) var changes = 0

  init(
    _ rules: [any StorageRule], isBlind: @escaping () -> Bool, report: @escaping (String) -> Void
  ) {
    self.rules = rules
    self.isBlind = isBlind
    self.report = report
  }

  /// Whether a rule asks to see changes of this file.
  func concerns(_ path: String) -> Bool {
    rules.contains { $0.concerns(path) } && !isBlind()
  }

  /// The change is about to be made.
  func meet(_ change: StorageChange, on disk: SimulatedDisk) {
    if !concerns(change.path) { return }
    changes += 1
    let durable = DurableCopy(of: disk)
    // The engine's own code may read the copy: its probes and switches are none of this simulation's.
    SeamContext().run {
      for rule in rules where rule.concerns(change.path) {
        if let what = rule.violation(of: change, durable: durable.files) {
          report("\(rule.name): \(what)")
        }
      }
    }
    durable.end()
  }
}

/// What a disk would hold after a power loss that takes everything unsynced, to be read by anyone.
private final class DurableCopy {
  let files: SimulatedFileSystem
  private let gate = LosingGate()

  init(of disk: SimulatedDisk) {
    let copy = disk.fork()
    copy.capacity = nil
    copy.powerLoss(choosing: gate)
    files = copy.mount(gate)
  }

  /// Gate and mount keep each other alive until then.
  func end() { files.end() }
}

/// No faults, no trace; of a power loss everything is lost.
final class LosingGate: SeamGate {
  func enter(_ call: StaticString) throws(PlatformError) {}
  func strikes(_ fault: FaultClass) -> Bool { false }
  /// The only draw is that of the power loss's mode: 1 is to lose everything.
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 { min(1, bound - 1) }
  func count(_ fault: FaultClass) {}
  func delay(nanoseconds: UInt64) throws(PlatformError) {}
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {}
  var tracesBytes: Bool { false }
}
