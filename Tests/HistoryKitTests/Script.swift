import EngineKit
import HistoryKit

/// Writes a history by hand and lets one judge read it. Steps count by themselves.
final class Script {
  let judge: Judge
  private var step = 0
  private var open: [Int: Call] = [:]

  /// The promises of most engines here: a crash is survived, failing calls are reported.
  static let contract = FaultContract([
    .processKill: .survives, .powerLoss: .survives, .droppedWrite: .survives,
    .tornWrite: .survives, .writeError: .reports, .syncFailure: .reports, .bitRot: .reports,
    .latency: .survives,
  ])

  static let everything: EngineCapabilities = [
    .namedTrees, .compareExchange, .batches, .crossTreeBatches, .identifiers, .treeRemoval,
    .concurrentClients, .prefixDurability, .checkpoints,
  ]

  init(
    _ plans: [CheckerPlan] = CheckerRegistry.standard,
    capabilities: EngineCapabilities = Script.everything
  ) {
    judge = Judge(
      checkers: plans.map { $0.make() }, capabilities: capabilities, contract: Script.contract)
  }

  /// The properties found broken, each once, in the order of their first breach.
  var convicted: [String] {
    var names: [String] = []
    for violation in judge.violations where !names.contains(violation.property) {
      names.append(violation.property)
    }
    return names
  }

  private func next() -> Int {
    step += 1
    return step
  }

  func begin(_ client: Int, _ operation: Operation) {
    open[client] = judge.invoked(client: client, operation, step: next())
  }

  func end(_ client: Int, _ outcome: Outcome) {
    guard let call = open.removeValue(forKey: client) else {
      fatalError("the script ends a call that it did not begin")
    }
    judge.returned(call, outcome, step: next())
  }

  func run(_ client: Int, _ operation: Operation, _ outcome: Outcome) {
    begin(client, operation)
    end(client, outcome)
  }

  func put(_ key: String, _ value: String, was former: String? = nil, client: Int = 0) {
    run(client, insert(key, value), .value(former.map(bytes)))
  }

  func read(_ key: String, _ value: String?, client: Int = 0) {
    run(client, get(key), .value(value.map(bytes)))
  }

  func flush(client: Int = 0) { run(client, .flush, .done) }

  func met(_ fault: FaultClass) { judge.met(fault, step: next()) }

  /// A crash, an opening, and what was found then.
  func crash(_ kind: CrashKind = .powerLoss, finds entries: [(String, String)]) {
    judge.crashed(kind, step: next())
    judge.opened(nil, step: next())
    found(entries)
  }

  func found(_ entries: [(String, String)]) {
    let sorted = entries.map { Entry(bytes($0.0), bytes($0.1)) }
      .sorted { $0.key.precedes($1.key) }
    judge.recovered(
      RecoveredState(trees: [
        .init(.default, forward: sorted, backward: sorted.reversed())
      ]), step: next())
    open = [:]
  }

  func crashed(_ kind: CrashKind = .powerLoss) {
    judge.crashed(kind, step: next())
    open = [:]
  }
  func opened(_ failure: EngineError?) { judge.opened(failure, step: next()) }
  func inspected(_ findings: [String]) { judge.inspected(findings, step: next()) }
  func abandoned() { judge.abandoned(step: next()) }
}

func bytes(_ text: String) -> Bytes { Array(text.utf8) }
func get(_ key: String) -> Operation { .get(bytes(key), in: .default) }
func insert(_ key: String, _ value: String) -> Operation {
  .insert(bytes(value), for: bytes(key), in: .default)
}
func remove(_ key: String) -> Operation { .remove(bytes(key), in: .default) }
func batch(_ writes: [(String, String?)]) -> Operation {
  .batch(writes.map { BatchWrite(bytes($0.0), $0.1.map(bytes)) })
}
func entries(_ pairs: [(String, String)]) -> Outcome {
  .entries(pairs.map { Entry(bytes($0.0), bytes($0.1)) })
}
func scan(
  _ range: KeyRange = .all, _ direction: Direction = .forward, limit: Int = .max
) -> Operation { .scan(range, direction, limit: limit, in: .default) }
func failed(_ code: EngineError.Code, refused: Bool = false) -> Outcome {
  .failure(code, message: "test", refused: refused)
}
