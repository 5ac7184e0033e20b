internal import Foundation
internal import Synchronization

/// What the workers of a pool are for: what they are asked, and what becomes of what they say and of their deaths. The
/// threads of all workers call this, at the same time.
protocol PooledWork: Sendable {
  associatedtype Job: Sendable
  associatedtype Request: Encodable
  associatedtype Reply: Decodable

  /// The arguments of this program that make a worker of the one with this number.
  func arguments(ofWorker number: Int) -> [String]
  func request(for job: Job) -> Request
  /// Takes in one line.
  func heard(_ reply: Reply, of job: Job) throws -> JobState<Job>
  /// The worker ended while this was what was left of its job: notes what that means, and says what others are to do.
  /// A `UsageFailure` ends all work, and is what the pool throws.
  func died(_ end: WorkerProcess.End, at job: Job, worker number: Int) throws -> [Job]
}

/// How it stands with a job after a line of its worker.
enum JobState<Job> {
  /// More lines will come; this is what is left of it.
  case underWay(Job)
  case done
  /// The worker ends after this line; this is for others.
  case left([Job])
}

/// Hands jobs to worker processes, and outlives those that die.
///
/// - A job is pending, or with one worker, or done; what is left of one when its worker ends is pending again, behind all
///   others, before that worker's place asks for the next. So all is done when nothing is pending and no worker has
///   a job, and then the pool ends.
/// - Each place has a thread and at most one worker at a time, which is started when there is a job for it. One that ended
///   is replaced for the next job.
/// - Every line belongs to the job that its worker was asked last: a worker has one job at a time.
/// - Whose worker ended without having said so has died, whatever it died of: the work hears of it once, with the job, or
///   what lines had left of it. A worker sets itself an alarm, so one that hangs dies too.
/// - An error ends all: no job is begun after the first one, and the pool throws that.
/// - Lines of one job come in order, jobs in any. What is reported must not depend on that: it is the work that puts
///   it in order, by numbers that its jobs have.
final class WorkerPool<Work: PooledWork>: Sendable {
  private let work: Work
  private let isOver: @Sendable () -> Bool
  private let queue: Mutex<Queue>

  private struct Queue {
    var jobs: [Work.Job]
    var next = 0
    var obstacle: UsageFailure?
  }

  /// - Parameter isOver: asked before each job; none is begun when it says so.
  init(
    _ work: Work, _ jobs: [Work.Job], until isOver: @escaping @Sendable () -> Bool = { false }
  ) {
    self.work = work
    self.isOver = isOver
    queue = Mutex(Queue(jobs: jobs))
  }

  /// Returns when all jobs are done. Once.
  ///
  /// - Parameter most: worker processes at the same time.
  func run(workers most: Int) throws {
    let group = DispatchGroup()
    for number in 0..<min(most, queue.withLock(\.jobs.count)) {
      group.enter()
      let thread = Thread {
        self.serve(number)
        group.leave()
      }
      thread.start()
    }
    group.wait()
    if let obstacle = queue.withLock(\.obstacle) { throw obstacle }
  }

  /// One place, until there is no more work.
  private func serve(_ number: Int) {
    var worker: WorkerProcess?
    while let job = take() {
      do {
        let current =
          try worker ?? WorkerProcess(arguments: work.arguments(ofWorker: number))
        worker = current
        if try !serve(job, by: current, number) { worker = nil }
      } catch {
        let obstacle = error as? UsageFailure ?? UsageFailure("a worker failed: \(error)")
        queue.withLock { if $0.obstacle == nil { $0.obstacle = obstacle } }
      }
    }
    _ = worker?.finish()
  }

  private func take() -> Work.Job? {
    if isOver() { return nil }
    return queue.withLock { queue in
      guard queue.obstacle == nil, queue.next < queue.jobs.count else { return nil }
      queue.next += 1
      return queue.jobs[queue.next - 1]
    }
  }

  /// False when the worker has ended.
  private func serve(
    _ job: Work.Job, by worker: WorkerProcess, _ number: Int
  ) throws -> Bool {
    // A worker that is gone by now gives no reply either.
    _ = try worker.send(work.request(for: job))
    var job = job
    while let reply = try worker.receive(Work.Reply.self) {
      switch try work.heard(reply, of: job) {
      case .underWay(let left): job = left
      case .done: return true
      case .left(let jobs):
        _ = worker.finish()
        queue.withLock { $0.jobs += jobs }
        return false
      }
    }
    let jobs = try work.died(worker.finish(), at: job, worker: number)
    queue.withLock { $0.jobs += jobs }
    return false
  }
}
