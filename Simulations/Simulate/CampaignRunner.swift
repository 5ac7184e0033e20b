internal import EngineKit
internal import Foundation
internal import SimulationFormats
internal import SimulationKit
internal import Synchronization

/// Runs a campaign: hands tapes to worker processes, outlives those that die, and folds the results in
/// the order of the tapes, so that the number of workers changes nothing but the time.
final class CampaignRunner: PooledWork {
  private let plan: CampaignPlan
  private let progress: Progress
  private let state: Mutex<State>

  /// What has come of the tapes.
  struct State {
    /// Trace hashes by scenario and tape; nil where the tape was not run.
    var hashes: [[String?]]
    /// By scenario. Counts add up in any order.
    var summaries: [ScenarioSummary]
    /// Failing tapes, by scenario, in the order in which they were noticed.
    var failing: [[(index: Int, result: TapeResult)]]
    var inconclusiveTapes = 0
    var inconclusive: String?
    /// By scenario; only counted.
    var states: [Set<UInt64>]
    var shrunk: [CampaignFailure] = []
    var tapesDone = 0

    /// Takes in the result of a tape that has run.
    mutating func note(_ result: TapeResult, scenario: Int, index: Int) {
      tapesDone += 1
      hashes[scenario][index] = result.traceHash
      summaries[scenario].counters.add(result.counters)
      states[scenario].formUnion(result.states)
      if let reason = result.inconclusive {
        inconclusiveTapes += 1
        if inconclusive == nil { inconclusive = reason }
      }
      if !result.failures.isEmpty {
        summaries[scenario].failingTapes += 1
        failing[scenario].append((index, result))
      }
    }

    func knownFailure(scenario: Int, index: Int) -> TapeResult? {
      failing[scenario].first { $0.index == index }?.result
    }
  }

  init(_ plan: CampaignPlan) {
    self.plan = plan
    self.progress = Progress(total: plan.tapes * plan.scenarios.count)
    self.state = Mutex(
      State(
        hashes: Array(
          repeating: Array(repeating: nil, count: plan.tapes), count: plan.scenarios.count),
        summaries: plan.scenarios.map { ScenarioSummary(name: $0.name) },
        failing: Array(repeating: [], count: plan.scenarios.count),
        states: Array(repeating: [], count: plan.scenarios.count)))
  }

  func run() throws -> CampaignReport {
    defer { progress.finish() }
    try WorkerPool(self, plan.pieces) { self.isOver }.run(workers: plan.jobs)
    let failing = state.withLock { failingTapes($0) }
    if !failing.isEmpty {
      progress.note("shrinking \(failing.count) failing \(failing.count == 1 ? "tape" : "tapes")")
      try WorkerPool(self, failing).run(workers: plan.jobs)
    }
    return state.withLock { report($0) }
  }

  /// No tape is begun any more.
  private var isOver: Bool {
    if let limit = plan.seconds, progress.seconds > limit { return true }
    return plan.endsAtFailure && state.withLock { $0.failing.contains { !$0.isEmpty } }
  }

  // MARK: Of the workers

  func arguments(ofWorker number: Int) -> [String] {
    var arguments = [
      "worker", "--engine", plan.factory.name, "--seed", String(plan.seed), "--operations",
      String(plan.options.operations), "--output", plan.output,
    ]
    if let strategy = plan.options.strategy { arguments += ["--strategy", strategy.rawValue] }
    if plan.twice { arguments.append("--twice") }
    return arguments
  }

  func request(for job: CampaignPlan.Job) -> WorkerRequest {
    let name = plan.scenarios[job.scenario].name
    return job.shrinks
      ? .shrink(scenario: name, index: job.tapes.lowerBound)
      : .run(scenario: name, first: job.tapes.lowerBound, count: job.tapes.count)
  }

  /// The reply is of the first tape of what is left.
  func heard(
    _ reply: WorkerReply, of job: CampaignPlan.Job
  ) throws -> JobState<CampaignPlan.Job> {
    let result = try reply.result.result()
    if job.shrinks {
      let shrunk = try reply.shrunk?.result()
      state.withLock { state in
        let failure = failure(job, result, shrunk, reply.file, state)
        state.shrunk.append(failure)
      }
    } else {
      let done = state.withLock { state in
        // What shrinking takes says nothing of how fast tapes are run.
        state.summaries[job.scenario].cpuSeconds += reply.cpuSeconds
        state.note(result, scenario: job.scenario, index: job.tapes.lowerBound)
        return state.tapesDone
      }
      progress.update(done: done, newFailures: result.failures.isEmpty ? 0 : 1)
    }
    let rest = job.rest
    if reply.isLast { return .left(rest.map { [$0] } ?? []) }
    return rest.map { .underWay($0) } ?? .done
  }

  /// What came of shrinking a tape.
  private func failure(
    _ job: CampaignPlan.Job, _ result: TapeResult, _ shrunk: TapeResult?, _ file: String?,
    _ state: State
  ) -> CampaignFailure {
    var failure = failure(job, result)
    failure.file = file
    if result.failures.isEmpty,
      let known = state.knownFailure(scenario: job.scenario, index: job.tapes.lowerBound)
    {
      failure = saved(self.failure(job, known))
      failure.detail += " (it held when it was run again)"
    }
    if let shrunk {
      if let first = shrunk.failures.first(where: { $0.property == failure.property }) {
        failure.detail = first.detail
        failure.step = first.step
      }
      failure.shrunk(to: shrunk.counters)
    }
    return failure
  }

  /// The tape that the worker was at has failed; the rest goes to another one.
  func died(
    _ end: WorkerProcess.End, at job: CampaignPlan.Job, worker number: Int
  ) -> [CampaignPlan.Job] {
    let index = job.tapes.lowerBound
    let failure = Failure(
      property: end.property,
      detail: end.detail(hang: "the tape did not end in \(WorkerVerb.patience) s"), step: 0)
    var result = TapeResult()
    result.failures = [failure]
    result.counters.tapes = 1
    state.withLock { state in
      if job.shrinks {
        // It fails alone, too, or shrinking it kills: the seed is all that can be saved.
        let known = state.knownFailure(scenario: job.scenario, index: index) ?? result
        state.shrunk.append(saved(self.failure(job, known)))
      } else {
        state.note(result, scenario: job.scenario, index: index)
      }
    }
    return job.rest.map { [$0] } ?? []
  }

  // MARK: The report

  /// Which failing tapes are worth shrinking: of each property in each scenario the first ones, so
  /// that one frequent failure does not hide the others.
  private func failingTapes(_ state: State) -> [CampaignPlan.Job] {
    var ranked: [(rank: Int, job: CampaignPlan.Job)] = []
    var seen: [String: Int] = [:]
    for (scenario, failing) in state.failing.enumerated() {
      for (index, result) in failing.sorted(by: { $0.index < $1.index }) {
        guard let property = result.failures.first?.property else { continue }
        let alike = seen[property, default: 0]
        let alikeHere = seen["\(scenario) \(property)", default: 0]
        seen[property] = alike + 1
        seen["\(scenario) \(property)"] = alikeHere + 1
        if alikeHere >= CampaignPlan.mostFailuresShrunkOfScenario { continue }
        let job = CampaignPlan.Job(scenario: scenario, tapes: index..<index + 1, shrinks: true)
        ranked.append((rank: alike == 0 ? 0 : 1 + alikeHere, job: job))
      }
    }
    // Stable: places break ties.
    let order = ranked.indices.sorted { (ranked[$0].rank, $0) < (ranked[$1].rank, $1) }
    return order.prefix(CampaignPlan.mostFailuresShrunk).map { ranked[$0].job }
  }

  private func failure(_ job: CampaignPlan.Job, _ result: TapeResult) -> CampaignFailure {
    let index = job.tapes.lowerBound
    let scenario = plan.scenarios[job.scenario].name
    return CampaignFailure(
      result.failures.first ?? Failure(property: "trap", detail: "for unknown reasons", step: 0),
      scenario: scenario, engine: plan.factory.name,
      seed: TapeSeed.seed(campaign: plan.seed, scenario: scenario, index: index), index: index,
      counters: result.counters)
  }

  /// Saves a tape by its seed alone.
  private func saved(_ failure: CampaignFailure) -> CampaignFailure {
    var failure = failure
    let tape = TapeFile(
      scenario: failure.scenario, engine: failure.engine, operations: plan.options.operations,
      seed: failure.seed, property: failure.property, detail: failure.detail, choices: nil,
      strategy: plan.options.strategy)
    let path = Lookup.failurePath(
      plan.output, failure.scenario, failure.engine, failure.seed)
    if let text = try? tape.encoded(), (try? Lookup.write(text, to: path)) != nil {
      failure.file = path
    }
    return failure
  }

  private func report(_ state: State) -> CampaignReport {
    var report = CampaignReport(engine: plan.factory.name, seed: plan.seed)
    var hash = FoldedHash()
    report.counters.declare(by: plan.factory)
    for (number, summary) in state.summaries.enumerated() {
      for tape in state.hashes[number] {
        if let tape { hash.add(tape) }
      }
      for (_, result) in state.failing[number] {
        guard let failure = result.failures.first else { continue }
        report.failingTapes = NamedCount.merge(
          report.failingTapes, [NamedCount(failure.property, 1)])
      }
      report.cpuSeconds += summary.cpuSeconds
      report.counters.add(summary.counters)
      var summary = summary
      summary.distinctStates = state.states[number].count
      report.scenarios.append(summary)
    }
    report.inconclusiveTapes = state.inconclusiveTapes
    report.inconclusive = state.inconclusive
    report.traceHash = hash.text
    report.failures = state.shrunk.sorted {
      ($0.scenario, $0.index) < ($1.scenario, $1.index)
    }
    let failing = report.scenarios.reduce(0) { $0 + $1.failingTapes }
    report.furtherFailures = max(0, failing - report.failures.count)
    report.skipped = plan.skipped
    return report
  }
}
