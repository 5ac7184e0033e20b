internal import Foundation
internal import SimulationFormats
internal import SimulationKit
internal import Synchronization

/// Hands runs to worker processes, and outlives those that die: a state from which recovery traps,
/// or does not end, is a finding, and ends its run.
final class CrashStatesRunner: PooledWork {
  private let requests: [CrashRequest]
  private let jobs: Int
  private let progress: CrashProgress
  /// By request.
  private let results: Mutex<[CrashStatesResult?]>

  init(_ requests: [CrashRequest], jobs: Int) {
    self.requests = requests
    self.jobs = jobs
    progress = CrashProgress(runs: requests.count)
    results = Mutex(Array(repeating: nil, count: requests.count))
  }

  /// In the order of the requests.
  func run() throws -> [CrashStatesResult] {
    defer {
      progress.finish()
      for number in 0..<jobs { try? FileManager.default.removeItem(atPath: beat(number)) }
    }
    try WorkerPool(self, Array(requests.indices)).run(workers: jobs)
    return results.withLock { $0.compactMap { $0 } }
  }

  /// Where a worker notes the state that comes next.
  private func beat(_ number: Int) -> String {
    NSTemporaryDirectory() + "crash-states-\(getpid())-\(number)"
  }

  private func note(_ result: CrashStatesResult, at place: Int, images: Int) {
    progress.add(images: images, run: result)
    results.withLock { $0[place] = result }
  }

  // MARK: Of the workers, whose jobs are places in `requests`

  func arguments(ofWorker number: Int) -> [String] {
    ["crash-states-worker", "--beat", beat(number)]
  }

  func request(for place: Int) -> CrashRequest { requests[place] }

  func heard(_ reply: CrashReply, of place: Int) -> JobState<Int> {
    guard let result = reply.result else {
      progress.add(images: reply.images, run: nil)
      return .underWay(place)
    }
    note(result, at: place, images: reply.images)
    return .done
  }

  func died(_ end: WorkerProcess.End, at place: Int, worker number: Int) throws -> [Int] {
    if case .exit(ExitStatus.usage.rawValue) = end {
      // It has said why on standard error.
      throw UsageFailure("\(requests[place].run) cannot be used")
    }
    let noted = FileManager.default.contents(atPath: beat(number)) ?? Data()
    let at = String(decoding: noted, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    var result = CrashStatesResult(name: requests[place].run)
    result.failingStates = 1
    result.findings = [
      CrashFinding(
        property: end.property,
        detail: end.detail(hang: "recovery did not end in \(CrashStatesWorker.patience) s"),
        state: at, lines: ["the rest of the run was not looked at"])
    ]
    note(result, at: place, images: 0)
    return []
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
