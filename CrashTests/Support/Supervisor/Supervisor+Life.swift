internal import EngineKit
internal import HistoryKit
internal import Platform

/// A life of a working child, as the judge is told of it.
extension Supervisor {
  func live(_ plan: RoundPlan) throws(PlatformError) {
    var child = childOptions(.work)
    child.operations = plan.operations
    child.pause = plan.pause
    let account = LifeAccount(
      OperationStream(subject, factory.capabilities, seed: options.seed, life: life),
      judge: judge, operations: plan.operations)
    let result = try listen(child, plan.strike(durations, directoryState)) { report in
      account.hear(report, step: step)
    }
    life += 1
    tally.acknowledged += account.acknowledged
    tally.flushes += account.flushes
    tally.checkpoints += account.checkpoints
    tally.cleanings += account.cleanings
    if let wrong = account.wrong { find(wrong.property, wrong.detail) }
    noteKill(result)
    takeViolations()
    _ = judgeEnd(result, "life \(life - 1)")
  }

  /// Kills a recovery so far into it, in thousandths of what one takes.
  func killRecovery(_ part: Int) throws(PlatformError) {
    var child = childOptions(.check)
    child.ending = .wait
    let strike = Strike(trigger: .phase(.opening), delay: durations.delay(.recovery, part))
    let result = try listen(child, strike) { report in
      switch report.kind {
      case .refused:
        if judge.violations.isEmpty { judge.opened(FailureText.decode(report.text), step: step) }
      case .wrong: find("answer", report.text)
      default: break
      }
    }
    noteKill(result)
    takeViolations()
    _ = judgeEnd(result, "a recovery that was to be killed")
  }

  private func noteKill(_ result: ChildResult) {
    guard result.isStruck else {
      // It closed in good order, or something is wrong.
      directoryState = result.phase == .closed ? .closed : .crashed
      return
    }
    let place = result.place(directoryState)
    tally[place] += 1
    lastKill = "killed in \(place.name) after \(result.reports.count) reports"
    directoryState = .crashed
    judge.crashed(.processKill, step: step)
  }
}

/// Tells the judge of one life. Operations are made anew from their numbers.
final class LifeAccount {
  private let stream: OperationStream
  private let judge: Judge
  private let operations: Int
  /// By client: the call under way; nil for one that says itself when it begins, and has not.
  private var calls: [Call?]
  private var next: [(number: Int, operation: Operation)?]
  private(set) var acknowledged = 0
  private(set) var flushes = 0
  private(set) var checkpoints = 0
  private(set) var cleanings = 0
  private(set) var wrong: (property: String, detail: String)?

  init(_ stream: OperationStream, judge: Judge, operations: Int) {
    self.stream = stream
    self.judge = judge
    self.operations = operations
    calls = Array(repeating: nil, count: stream.clients)
    next = Array(repeating: nil, count: stream.clients)
  }

  func hear(_ report: Report, step: Int) {
    switch report.kind {
    case .phase:
      switch Phase(rawValue: report.number) {
      case .open?:
        judge.opened(nil, step: step)
        for client in 0..<stream.clients { advance(client, to: 0, step) }
      case .closed?: judge.closed(nil, step: step)
      default: break
      }
    case .asked:
      guard isExpected(report), let operation = next[report.client]?.operation else { return }
      calls[report.client] = judge.invoked(client: report.client, operation, step: step)
    case .done, .failed: returned(report, step)
    case .wrong:
      wrong = wrong ?? ("answer", "client \(report.client): \(report.text)")
    case .refused:
      let error = FailureText.decode(report.text)
      if acknowledged > 0 || calls.contains(where: { $0 != nil }) {
        judge.closed(error, step: step)
      } else {
        judge.opened(error, step: step)
      }
    case .tree, .entry, .finding, .space:
      wrong = wrong ?? ("protocol", "a child at work reports \(report.kind)")
    }
  }

  private func isExpected(_ report: Report) -> Bool {
    if report.client < next.count, next[report.client]?.number == report.number { return true }
    wrong =
      wrong
      ?? ("protocol", "client \(report.client) reports operation \(report.number) out of turn")
    return false
  }

  private func returned(_ report: Report, _ step: Int) {
    guard isExpected(report), let (number, operation) = next[report.client],
      let call = calls[report.client]
    else { return }
    if report.kind == .failed {
      let error = FailureText.decode(report.text)
      judge.returned(
        call, .failure(error.code, message: error.message, refused: error.isRefused), step: step)
    } else {
      judge.returned(call, outcome(of: operation, report), step: step)
      acknowledged += 1
      switch operation {
      case .flush: flushes += 1
      case .checkpoint: checkpoints += 1
      case .clean: cleanings += 1
      default: break
      }
    }
    advance(report.client, to: number + 1, step)
  }

  /// The client's next operation may have begun from here on.
  private func advance(_ client: Int, to number: Int, _ step: Int) {
    calls[client] = nil
    next[client] = nil
    guard number < operations else { return }
    let operation = stream.operation(number, of: client)
    next[client] = (number, operation)
    if OperationStream.announced(operation) == nil {
      calls[client] = judge.invoked(client: client, operation, step: step)
    }
  }

  /// As much of an answer as the checkers of recoveries look at.
  private func outcome(of operation: Operation, _ report: Report) -> Outcome {
    switch operation {
    case .get, .insert, .remove: .value(nil)
    case .compareExchange: .exchange(exchanged: report.flag, original: nil)
    case .scan: .entries([])
    case .count: .number(0)
    case .dropTree: .flag(report.flag)
    case .nextID: .identifier(report.word)
    case .batch, .flush, .checkpoint, .backgroundWork, .evict, .clean: .done
    }
  }
}
