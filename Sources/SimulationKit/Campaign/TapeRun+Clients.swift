internal import EngineKit
internal import HistoryKit
internal import Platform

/// The clients of one life.
extension TapeRun {
  /// Lets the clients work until the life is over or they have nothing more to do.
  func work(_ engine: any KeyValueEngine, _ threads: any Threads) {
    var clients: [Client] = []
    while clients.count < plan.clients {
      let index = clients.count
      clients.append(
        Client(
          index: index, count: plan.clients, round: crash?.round ?? 0, sequence: sequences[index],
          tape: tape, execute: { self.perform($0, index, engine) },
          begin: { self.beginScan($0, index, engine) }))
    }
    if crash?.afterOperations == 0 { arm() }
    var spawned: [ThreadID] = []
    do throws(PlatformError) {
      while spawned.count + 1 < clients.count {
        // Sent to another simulated thread of this system thread; never used by two at once.
        nonisolated(unsafe) let client = clients[spawned.count + 1]
        spawned.append(try threads.spawn("client") { unsafe self.serve(client) })
      }
      serve(clients[0])
      for thread in spawned { try threads.join(thread) }
    } catch {
      if error.code != .killed { fail("progress", "a client's thread: \(error)") }
    }
    if simulation.isAlive { crashAfterAll(engine) }
    var index = 0
    while index < clients.count {
      sequences[index] = clients[index].sequence
      index += 1
    }
  }

  private func serve(_ client: Client) {
    while !isLifeOver && workload.step(client) {}
    for scan in client.slowScans where simulation.isAlive { scan.finish() }
  }

  /// An operation that is read bit by bit; nil when it could not begin.
  private func beginScan(
    _ operation: Operation, _ client: Int, _ engine: any KeyValueEngine
  ) -> SlowScan? {
    guard case .scan(let range, let direction, _, let tree) = operation,
      let call = begin(operation, client)
    else { return nil }
    do throws(EngineError) {
      let cursor = try engine.cursor(range, in: tree)
      if !simulation.isAlive { return nil }
      if factory.capabilities.contains(.snapshotScans) { judge.tookSnapshot(call) }
      return SlowScan(self, call, cursor, direction)
    } catch {
      ended(call, .failure(error.code, message: error.message, refused: error.isRefused))
      return nil
    }
  }

  /// The head of every operation: counted, traced, told to the judge. Nil when it is too late for one.
  private func begin(_ operation: Operation, _ client: Int) -> Call? {
    do throws(PlatformError) {
      // Clients, too, are ended and interleaved between operations.
      try simulation.enter("operation")
    } catch {
      isLifeOver = true
      return nil
    }
    if operationsLeft == 0 || isLifeOver {
      isLifeOver = true
      return nil
    }
    operationsLeft -= 1
    operationsInLife += 1
    result.counters.operations += 1
    simulation.record("operation", UInt64(client), fingerprint { $0.add(operation) }, 0)
    return judge.invoked(client: client, operation, step: step)
  }

  /// The tail of every operation.
  func ended(_ call: Call, _ outcome: Outcome) {
    if case .failure(.killed, _, _) = outcome {
      isLifeOver = true
      return
    }
    if !simulation.isAlive {
      isLifeOver = true
      return
    }
    let print = fingerprint {
      $0.add(call.operation)
      $0.add(outcome)
    }
    simulation.record("answer", UInt64(call.client), print, 0)
    tellFaults()
    judge.returned(call, outcome, step: step)
    if case .failure(let code, _, _) = outcome { failed(code) }
    takeViolations()
    if operationsLeft == 0 || !result.failures.isEmpty { isLifeOver = true }
  }

  /// One operation of one client: counted, traced, judged.
  private func perform(
    _ operation: Operation, _ client: Int, _ engine: any KeyValueEngine
  ) -> Outcome {
    if isLifeOver { return TapeRun.tooLate }
    guard let call = begin(operation, client) else { return TapeRun.tooLate }
    let outcome = engine.perform(operation)
    ended(call, outcome)
    if !simulation.isAlive { return TapeRun.tooLate }
    if case .failure(.killed, _, _) = outcome { return outcome }
    if let crash, operationsInLife == crash.afterOperations { arm() }
    if isFlushDue && !isLifeOver {
      isFlushDue = false
      _ = perform(.flush, client, engine)
    }
    return outcome
  }

  private static let tooLate = Outcome.failure(.killed, message: "too late", refused: true)

  /// The clients have nothing more to do, and the crash was to come later: then it comes now, and finds
  /// something to interrupt. So operations can be taken out of a tape, and the crash stays what it was.
  private func crashAfterAll(_ engine: any KeyValueEngine) {
    guard crash != nil, !isArmed, excusedErrors == 0, result.failures.isEmpty else { return }
    isLifeOver = false
    arm()
    isFlushDue = false
    if !isLifeOver { _ = perform(.flush, 0, engine) }
    isLifeOver = true
  }

  /// The crash is due: now, or some seam calls from now.
  private func arm() {
    guard let crash else { return }
    isArmed = true
    switch crash.place {
    case .betweenOperations: isLifeOver = true
    case .seamCall(let number): simulation.kill(afterSeamCalls: number, crash.kind)
    case .sync(let number):
      gate.ambush(atSync: number, crash.kind)
      // Else many lives would end before anyone flushes.
      isFlushDue = true
    }
  }

  /// An operation failed, which the judge judges. An engine that refuses from now on is opened again,
  /// and so is one that has failed often enough.
  private func failed(_ code: EngineError.Code) {
    switch code {
    case .treeNotFound, .killed: return
    // Those who hold something go on, and let go of it.
    case .exhausted: return
    case .unsupported, .invalidArgument, .locked, .other, .inputOutput, .noSpace:
      excusedErrors += 1
      if excusedErrors >= 4 { isLifeOver = true }
    case .closed, .corruption, .refused:
      excusedErrors += 1
      isLifeOver = true
    }
  }
}

extension Operation {
  /// What it does, in a word.
  var name: String {
    switch self {
    case .get: "get"
    case .insert: "insert"
    case .remove: "remove"
    case .compareExchange: "compare-exchange"
    case .scan: "scan"
    case .batch: "batch"
    case .flush: "flush"
    case .checkpoint: "checkpoint"
    case .backgroundWork: "background work"
    case .evict: "evict"
    case .clean: "clean"
    case .nextID: "next id"
    case .count: "count"
    case .dropTree: "drop tree"
    }
  }
}
