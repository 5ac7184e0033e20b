internal import EngineKit
internal import HistoryKit
internal import Platform

/// Space: what was removed gives back what it took.
///
/// Sound: an engine is held to what its factory promises (`EngineFactory.spaceKept`), and only in a life in
/// which nothing failed, after it was given every chance to settle: checkpoints, background work, and time.
extension TapeRun {
  /// Rounds of background work that an engine gets.
  private static let mostRounds = 24
  /// Virtual nanoseconds between them.
  private static let pause: UInt64 = 1_000_000

  /// Notes what a database takes before anybody has written to it; nothing where that is not this one.
  func measureEmpty(_ engine: any KeyValueEngine) {
    if lives > 1 || result.counters.operations > 0 { return }
    simulation.faultsAreSuspended = true
    defer { simulation.faultsAreSuspended = false }
    do throws(EngineError) { try settle(engine) { false } } catch { return }
    emptyBytes = disk.allocatedBytes
  }

  /// Removes everything, through the judge's eyes, and holds the bytes on disk against what was promised.
  func checkSpace(_ engine: any KeyValueEngine) {
    guard let emptyBytes, let kept = factory.spaceKept(plan.settings), excusedErrors == 0, !hasRot
    else { return }
    let bound = emptyBytes + emptyBytes / 10 + kept
    do throws(EngineError) {
      try removeAll(engine)
      try settle(engine) { disk.allocatedBytes <= bound }
    } catch {
      if error.code != .killed && !hasMetFault {
        fail("space", "settling failed without a cause: \(error)")
      }
      return
    }
    if disk.allocatedBytes > bound {
      fail(
        "space",
        "everything was removed, and \(disk.allocatedBytes) bytes stay on disk; a new database takes "
          + "\(emptyBytes), and \(bound) are allowed")
    }
  }

  private func removeAll(_ engine: any KeyValueEngine) throws(EngineError) {
    for tree in try engine.treeNames().sorted() {
      for entry in try engine.scan(.all, .forward, limit: .max, in: tree) {
        let operation = Operation.remove(entry.key, in: tree)
        let call = judge.invoked(client: 0, operation, step: step)
        let outcome = engine.perform(operation)
        if case .failure(let code, let message, _) = outcome {
          throw EngineError(code, message)
        }
        judge.returned(call, outcome, step: step)
      }
    }
  }

  private func settle(
    _ engine: any KeyValueEngine, _ isSettled: () -> Bool
  ) throws(EngineError) {
    var round = 0
    while round < TapeRun.mostRounds {
      round += 1
      if factory.capabilities.contains(.checkpoints) { try engine.checkpoint() }
      try engine.performBackgroundWork()
      // What a removed file held is free only when its removal cannot be lost.
      if isSettled() { return }
      do throws(PlatformError) { try simulation.delay(nanoseconds: TapeRun.pause) } catch {
        throw EngineError(.killed, "the process is gone")
      }
    }
  }
}
