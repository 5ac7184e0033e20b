public import EngineKit
public import HistoryKit

extension Simulation {
  /// Runs one incarnation of a process: `main` on its first thread, and whatever threads that
  /// starts. Returns when all of them have ended, or have been given up after a kill.
  public func runProcess(_ name: String, main: @escaping () -> Void) -> ProcessEnd {
    processes += 1
    beginMemory()
    trace.record("process start", thread: 0, UInt64(processes))
    let end = scheduler.runProcess(name, main: main)
    switch end {
    case .killed(let kind, _): faults.count(kind.faultClass)
    case .finished, .killedByFaultPoint, .deadlock, .livelock, .notStarted, .brokenMemory,
      .trapped:
      break
    }
    trace.record("process end", thread: 0, UInt64(processes), scheduler.now, end.code)
    return end
  }

  /// Arms a kill: the process that runs, or else the next one, dies at its `calls`-th seam call
  /// from now on (1 is the very next). It is disarmed when the process ends before.
  public func kill(afterSeamCalls calls: UInt64, _ kind: CrashKind = .processKill) {
    let (at, overflow) = scheduler.seamCalls.addingReportingOverflow(max(1, calls))
    scheduler.killAt = overflow ? .max : at
    scheduler.armedCrash = kind
    scheduler.updateAttention()
  }

  public func disarmKill() {
    scheduler.killAt = .max
    scheduler.updateAttention()
  }

  /// Kills the running process. The caller goes on until its next seam call, which throws.
  public func killNow(_ kind: CrashKind = .processKill) {
    if isAlive { _ = scheduler.kill(.killed(kind, at: "killNow"), "kill now") }
  }
}

extension CrashKind {
  /// The class that it is counted as.
  public var faultClass: FaultClass {
    switch self {
    case .processKill: .processKill
    case .powerLoss: .powerLoss
    }
  }
}

extension ProcessEnd {
  /// For the trace.
  var code: UInt64 {
    switch self {
    case .finished: 0
    case .killed(.processKill, _): 1
    case .killed(.powerLoss, _): 2
    case .killedByFaultPoint: 3
    case .deadlock: 4
    case .livelock: 5
    case .notStarted: 6
    case .brokenMemory: 7
    case .trapped: 8
    }
  }
}
