import EngineKit
import Platform
import Testing

@testable import SimulationKit

/// A gate that a test leads by the hand: draws come from a script, then from a generator, then are
/// zero; faults strike where the test said.
final class ScriptedGate: SeamGate {
  var script: [UInt64] = []
  var random: SplitMix64?
  /// Each strikes once, at the first call that it could strike.
  var armed: [FaultClass] = []
  var isDead = false

  private(set) var draws: [(label: String, bound: UInt64, value: UInt64)] = []
  private(set) var calls: [String] = []
  private(set) var events: [[UInt64]] = []
  private(set) var delays: [UInt64] = []
  private var counted: [FaultClass: Int] = [:]
  /// Run inside `delay`, as another thread would.
  var duringDelay: (() -> Void)?

  init(_ script: [UInt64] = [], seed: UInt64? = nil) {
    self.script = script
    random = seed.map { SplitMix64(seed: $0) }
  }

  func count(of fault: FaultClass) -> Int { counted[fault] ?? 0 }

  func enter(_ call: StaticString) throws(PlatformError) {
    if isDead { throw PlatformError(.killed, operation: "\(call)") }
    calls.append("\(call)")
  }

  func strikes(_ fault: FaultClass) -> Bool {
    guard let index = armed.firstIndex(of: fault) else { return false }
    armed.remove(at: index)
    counted[fault, default: 0] += 1
    return true
  }

  func draw(_ label: StaticString, below bound: UInt64) -> UInt64 {
    precondition(bound > 0, "a draw of nothing")
    var value: UInt64 = 0
    if draws.count < script.count {
      value = script[draws.count]
    } else if random != nil {
      value = random!.next() % bound
    }
    precondition(value < bound, "the script does not fit: \(label)")
    draws.append(("\(label)", bound, value))
    return value
  }

  func count(_ fault: FaultClass) { counted[fault, default: 0] += 1 }

  func delay(nanoseconds: UInt64) throws(PlatformError) {
    delays.append(nanoseconds)
    duringDelay?()
    if isDead { throw PlatformError(.killed, operation: "delay") }
  }

  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64) {
    events.append([a, b, c])
  }
}

/// Runs `body` once for every sequence of draws that it can make. Fails beyond `limit` runs.
func everyOutcome(limit: Int = 100_000, _ body: (ScriptedGate) throws -> Void) rethrows {
  var script: [UInt64] = []
  var runs = 0
  while true {
    let gate = ScriptedGate(script)
    try body(gate)
    runs += 1
    if runs > limit {
      Issue.record("more than \(limit) outcomes")
      return
    }
    var next = gate.draws.map { ($0.value, $0.bound) }
    while let last = next.last, last.0 + 1 >= last.1 { next.removeLast() }
    if next.isEmpty { return }
    next[next.count - 1].0 += 1
    script = next.map { $0.0 }
  }
}

/// A disk with one process on it, for tests that look at what survives.
struct DiskWorld {
  var disk: SimulatedDisk
  let gate = ScriptedGate()
  var files: SimulatedFileSystem

  init(capacity: Int? = nil) {
    disk = SimulatedDisk(capacity: capacity)
    files = disk.mount(gate)
  }

  /// What a process that starts on a copy of this disk finds after a power loss with these draws.
  func afterPowerLoss(
    _ choosing: ScriptedGate, allowing: DiskFaults = .all
  ) -> (files: SimulatedFileSystem, report: PowerLossReport, gate: ScriptedGate) {
    let copy = disk.fork()
    let report = copy.powerLoss(choosing: choosing, allowing: allowing)
    let gate = ScriptedGate()
    return (copy.mount(gate), report, gate)
  }
}

extension FileSystem {
  /// The whole of a file, or nil where there is none.
  func contents(_ path: String) throws(PlatformError) -> [UInt8]? {
    guard let status = try status(path), !status.isDirectory else { return nil }
    let file = try open(path, .read)
    defer { file.close() }
    return try file.readFully(at: 0, count: Int(status.size))
  }

  /// Writes a file that is durable, name included.
  func makeDurable(_ path: String, in directory: String, _ bytes: [UInt8]) throws(PlatformError) {
    let file = try open(path, .readWriteOrCreate)
    try file.writeFully(bytes, at: 0)
    try file.syncData()
    file.close()
    try syncDirectory(directory)
  }
}

extension File {
  /// One call of `write`, which may take fewer bytes.
  func writeOnce(_ bytes: [UInt8], at offset: Int64) throws(PlatformError) -> Int {
    try unsafe write(bytes.span.bytes, at: offset)
  }
}

/// `count` times the same byte.
func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }
