internal import Foundation
internal import SimulationFormats
internal import SimulationKit
internal import Synchronization

/// Hands runs to worker processes, and outlives those that die: a state from which recovery traps,
/// or does not end, is a finding, and ends its run.
final class CrashStatesRunner: Sendable {
  private let requests: [CrashRequest]
  private let jobs: Int
  private let progress: CrashProgress
  private let state: Mutex<State>

  private struct State {
    var next = 0
    var results: [CrashStatesResult?]
    var obstacle: String?
  }

  init(_ requests: [CrashRequest], jobs: Int) {
    self.requests = requests
    self.jobs = jobs
    progress = CrashProgress(runs: requests.count)
    state = Mutex(State(results: Array(repeating: nil, count: requests.count)))
  }

  /// In the order of the requests.
  func run() throws -> [CrashStatesResult] {
    let group = DispatchGroup()
    for number in 0..<min(jobs, requests.count) {
      group.enter()
      let thread = Thread {
        self.serve(number)
        group.leave()
      }
      thread.start()
    }
    group.wait()
    progress.finish()
    return try state.withLock { state in
      if let obstacle = state.obstacle { throw UsageFailure(obstacle) }
      return state.results.compactMap { $0 }
    }
  }

  private func serve(_ number: Int) {
    let beat = NSTemporaryDirectory() + "crash-states-\(getpid())-\(number)"
    defer { try? FileManager.default.removeItem(atPath: beat) }
    var worker: WorkerProcess?
    while let place = take() {
      do {
        let current =
          try worker ?? WorkerProcess(arguments: ["crash-states-worker", "--beat", beat])
        worker = current
        if try !serve(place, by: current, beat) { worker = nil }
      } catch {
        state.withLock { $0.obstacle = "a worker failed: \(error)" }
      }
    }
    _ = worker?.finish()
  }

  private func take() -> Int? {
    state.withLock { state in
      guard state.obstacle == nil, state.next < requests.count else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  /// False when the worker is gone.
  private func serve(_ place: Int, by worker: WorkerProcess, _ beat: String) throws -> Bool {
    _ = try worker.send(requests[place])
    while let reply = try worker.receive(CrashReply.self) {
      progress.add(images: reply.images, run: reply.result)
      if let result = reply.result {
        state.withLock { $0.results[place] = result }
        return true
      }
    }
    let end = worker.finish()
    if case .exit(let status) = end, status == ExitStatus.usage.rawValue {
      // It has said why on standard error.
      state.withLock { $0.obstacle = "\(requests[place].run) cannot be used" }
      return false
    }
    let result = died(end, requests[place], beat)
    progress.add(images: 0, run: result)
    state.withLock { $0.results[place] = result }
    return false
  }

  private func died(
    _ end: WorkerProcess.End, _ request: CrashRequest, _ beat: String
  ) -> CrashStatesResult {
    let noted = FileManager.default.contents(atPath: beat) ?? Data()
    let at = String(decoding: noted, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    var result = CrashStatesResult(name: request.run)
    let what: (String, String) =
      switch end {
      case .signal(SIGALRM):
        ("progress", "recovery did not end in \(CrashStatesWorker.patience) s")
      case .signal(let number): ("trap", "the process died by signal \(number)")
      case .exit(let status): ("trap", "the process exited with \(status)")
      }
    result.failingStates = 1
    result.findings = [
      CrashFinding(
        property: what.0, detail: what.1, state: at,
        lines: ["the rest of the run was not looked at"])
    ]
    return result
  }
}

/// How far it is, on standard error.
private final class CrashProgress: Sendable {
  private let runs: Int
  private let begin = ProcessInfo.processInfo.systemUptime
  private let state = Mutex(State())

  private struct State {
    var images = 0
    var done = 0
    var failing = 0
    var line = ProgressLine()
  }

  init(runs: Int) { self.runs = runs }

  func add(images: Int, run: CrashStatesResult?) {
    let seconds = ProcessInfo.processInfo.systemUptime - begin
    state.withLock { state in
      state.images += images
      if let run {
        state.done += 1
        state.failing += run.failingStates
      }
      guard state.line.isDue(at: seconds) else { return }
      state.line.show(
        "\(state.done) of \(runs) runs, \(state.images) images recovered, "
          + "\(Int(Double(state.images) / max(seconds, 0.001))) a second, \(state.failing) failing")
    }
  }

  func finish() { state.withLock { $0.line.erase() } }
}
