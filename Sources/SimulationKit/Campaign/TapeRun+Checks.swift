internal import EngineKit
internal import HistoryKit
internal import Platform

/// Opening the database, and what must hold of what is found there.
extension TapeRun {
  /// The engine, or nil when the life is over: killed, or failed with a reason, or the tape with it.
  func open(_ platform: PlatformServices) -> (any KeyValueEngine)? {
    // After an opening that failed for a reason, the next one has none.
    simulation.faultsAreSuspended = mustOpen
    defer { simulation.faultsAreSuspended = false }
    do throws(EngineError) {
      let engine = try factory.open(TapeRun.directory, on: platform, settings: plan.settings)
      mustOpen = false
      tellFaults()
      judge.opened(nil, step: step)
      return engine
    } catch {
      simulation.disarmKill()
      if error.code != .killed { openingFailed(error) }
      return nil
    }
  }

  private func openingFailed(_ error: EngineError) {
    simulation.record("open failed", 0, 0, 0)
    tellFaults()
    judge.opened(error, step: step)
    takeViolations()
    if !result.failures.isEmpty { return }
    // The judge accepts the reason. Unless the disk is damaged, it goes away when faults are spared.
    if mustOpen || (hasRot && (error.code == .corruption || error.code == .inputOutput)) {
      endAtDamage()
    } else {
      mustOpen = true
    }
  }

  private func endAtDamage() {
    result.counters.reportedDamage += 1
    hasEnded = true
  }

  /// Reads everything both ways and holds it against all that is known. False when the life is over.
  func check(_ engine: any KeyValueEngine) -> Bool {
    let state: RecoveredState
    do throws(EngineError) {
      state = try RecoveredState(of: engine)
      try inspect(engine)
      try compareCounts(engine, state)
    } catch {
      if error.code == .killed { return false }
      tellFaults()
      if hasRot {
        endAtDamage()
      } else {
        fail("error-contract", "reading all after an opening failed without a cause: \(error)")
      }
      return false
    }
    tellFaults()
    let print = fingerprint {
      for tree in state.trees {
        $0.add(tree.name)
        $0.add(tree.forward)
      }
    }
    simulation.record("contents", print, UInt64(state.trees.count), 0)
    if lives > 1 {
      result.counters.recoveries += 1
      judge.recovered(state, step: step)
    }
    takeViolations()
    for problem in workload.recovered(state) { fail("workload", problem) }
    return result.failures.isEmpty
  }

  /// What the engine says of itself. It may read what nobody else does, the header of a large value's record for
  /// one: damage that it reports on a disk that has decayed is what the contract asks for.
  private func inspect(_ engine: any KeyValueEngine) throws(EngineError) {
    let findings = try engine.checkInvariants()
    tellFaults()
    if hasRot, let damage = findings.first(where: { $0.hasPrefix("corruption") }) {
      throw EngineError(.corruption, damage)
    }
    judge.inspected(findings, step: step)
  }

  private func compareCounts(
    _ engine: any KeyValueEngine, _ state: RecoveredState
  ) throws(EngineError) {
    for tree in state.trees {
      let count = try engine.count(in: tree.name)
      if count != tree.forward.count {
        fail(
          "count", "tree \"\(tree.name)\" counts \(count) entries, shows \(tree.forward.count)")
      }
    }
  }

  /// For the trace; 0 where bytes are not traced.
  func fingerprint(_ body: (inout Fingerprint) -> Void) -> UInt64 {
    if !simulation.tracesBytes { return 0 }
    var hash = Fingerprint()
    body(&hash)
    return hash.value
  }

  /// The end of a tape: no crash, so every answer must be exact.
  func checkAtEnd(_ engine: any KeyValueEngine) {
    do throws(EngineError) {
      for name in try engine.treeNames().sorted() {
        for direction in [Direction.forward, .backward] {
          let operation = Operation.scan(.all, direction, limit: .max, in: name)
          let call = judge.invoked(client: 0, operation, step: step)
          let outcome = engine.perform(operation)
          tellFaults()
          judge.returned(call, outcome, step: step)
          if case .failure(let code, let message, _) = outcome {
            throw EngineError(code, message)
          }
        }
      }
      try inspect(engine)
    } catch {
      // The judge has been told of what clients were told.
    }
    takeViolations()
  }
}
