internal import Foundation
internal import SimulationFormats
internal import Synchronization

/// Hands trials to worker processes, and outlives those that die: what killed one is run again alone, in a process
/// of its own, so that the report names it.
final class TrialRunner: Sendable {
  private let arguments: [String]
  private let count: Int
  private let jobs: Int
  private let progress: Progress
  private let state: Mutex<State>

  private struct State {
    var pending: [TrialRequest]
    var next = 0
    var sum = TrialReply()
    var obstacle: String?
  }

  /// - Parameter arguments: of `simulate trials`, which a worker is started with.
  init(_ arguments: [String], count: Int, jobs: Int, noun: String) {
    self.arguments = arguments
    self.count = count
    self.jobs = jobs
    progress = Progress(total: count, noun: noun)
    let portion = max(1, min(2048, count / (8 * jobs)))
    state = Mutex(
      State(
        pending: stride(from: 0, to: count, by: portion).map { first in
          TrialRequest(first: first, count: min(portion, count - first))
        }))
  }

  /// Since it was made.
  var seconds: Double { progress.seconds }

  func run() throws -> TrialReply {
    let group = DispatchGroup()
    for _ in 0..<min(jobs, max(1, count)) {
      group.enter()
      let thread = Thread {
        self.serve()
        group.leave()
      }
      thread.start()
    }
    group.wait()
    progress.finish()
    return try state.withLock { state in
      if let obstacle = state.obstacle { throw UsageFailure(obstacle) }
      state.sum.violations.sort { $0.index < $1.index }
      return state.sum
    }
  }

  private func serve() {
    var worker: WorkerProcess?
    while let request = take() {
      do {
        let current = try worker ?? WorkerProcess(arguments: arguments)
        worker = current
        if !(try serve(request, by: current)) { worker = nil }
      } catch {
        state.withLock { $0.obstacle = "a worker failed: \(error)" }
      }
    }
    _ = worker?.finish()
  }

  private func take() -> TrialRequest? {
    state.withLock { state in
      guard state.obstacle == nil, state.next < state.pending.count else { return nil }
      state.next += 1
      return state.pending[state.next - 1]
    }
  }

  /// False when the worker died of it.
  private func serve(_ request: TrialRequest, by worker: WorkerProcess) throws -> Bool {
    _ = try worker.send(request)
    if let reply = try worker.receive(TrialReply.self) {
      note(reply)
      return true
    }
    let end = worker.finish()
    if case .exit(ExitStatus.usage.rawValue) = end {
      state.withLock { $0.obstacle = "a worker could not begin" }
      return false
    }
    if request.count > 1 {
      // Halves, until the one that did it is alone.
      let half = request.count / 2
      state.withLock { state in
        state.pending.append(TrialRequest(first: request.first, count: half))
        state.pending.append(
          TrialRequest(first: request.first + half, count: request.count - half))
      }
      return false
    }
    note(died(request.first, end))
    return false
  }

  private func died(_ index: Int, _ end: WorkerProcess.End) -> TrialReply {
    let detail =
      switch end {
      case .signal(SIGALRM): "it did not end in \(TrialsVerb.patience) s"
      case .signal(let number): "the process died by signal \(number)"
      case .exit(let status): "the process exited with \(status)"
      }
    var reply = TrialReply()
    reply.done = 1
    let outcome = detail.hasPrefix("it did not end") ? "HANG" : "TRAP"
    reply.add("of any kind", outcome, 1)
    reply.violations.append(
      TrialReply.Violation(
        index: index, group: "of any kind", what: "trial \(index)",
        command: "--only \(index)", detail: detail))
    return reply
  }

  private func note(_ reply: TrialReply) {
    let (done, failing) = state.withLock { state in
      state.sum.add(reply)
      return (state.sum.done, reply.violations.count)
    }
    progress.update(done: done, newFailures: failing)
  }
}
