internal import Foundation
internal import SimulationFormats
internal import Synchronization

/// Hands trials to worker processes, and outlives those that die: what killed one is run again alone, in a process
/// of its own, so that the report names it.
final class TrialRunner: PooledWork {
  private let arguments: [String]
  private let trials: Range<Int>
  private let jobs: Int
  private let progress: Progress
  private let sum = Mutex(TrialReply())

  /// - Parameter arguments: of `simulate trials`, which a worker is started with.
  init(_ arguments: [String], trials: Range<Int>, jobs: Int, noun: String) {
    self.arguments = arguments
    self.trials = trials
    self.jobs = jobs
    progress = Progress(total: trials.count, noun: noun)
  }

  /// Since it was made.
  var seconds: Double { progress.seconds }

  func run() throws -> TrialReply {
    let portion = max(1, min(2048, trials.count / (8 * jobs)))
    let requests = stride(from: trials.lowerBound, to: trials.upperBound, by: portion).map {
      TrialRequest(first: $0, count: min(portion, trials.upperBound - $0))
    }
    defer { progress.finish() }
    try WorkerPool(self, requests).run(workers: jobs)
    var sum = sum.withLock { $0 }
    sum.violations.sort { $0.index < $1.index }
    return sum
  }

  // MARK: Of the workers

  func arguments(ofWorker number: Int) -> [String] { arguments }

  func request(for job: TrialRequest) -> TrialRequest { job }

  func heard(_ reply: TrialReply, of job: TrialRequest) -> JobState<TrialRequest> {
    note(reply)
    return .done
  }

  func died(
    _ end: WorkerProcess.End, at job: TrialRequest, worker number: Int
  ) throws -> [TrialRequest] {
    if case .exit(ExitStatus.usage.rawValue) = end {
      throw UsageFailure("a worker could not begin")
    }
    if job.count > 1 {
      // Halves, until the one that did it is alone.
      let half = job.count / 2
      return [
        TrialRequest(first: job.first, count: half),
        TrialRequest(first: job.first + half, count: job.count - half),
      ]
    }
    var reply = TrialReply()
    reply.done = 1
    reply.add("of any kind", end.isHang ? "HANG" : "TRAP", 1)
    reply.violations.append(
      TrialReply.Violation(
        index: job.first, group: "of any kind", what: "trial \(job.first)",
        command: "--only \(job.first)",
        detail: end.detail(hang: "it did not end in \(TrialsVerb.patience) s")))
    note(reply)
    return []
  }

  private func note(_ reply: TrialReply) {
    let done = sum.withLock { sum in
      sum.add(reply)
      return sum.done
    }
    progress.update(done: done, newFailures: reply.violations.count)
  }
}
