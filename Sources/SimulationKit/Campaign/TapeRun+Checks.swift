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
      try prepareDirectory(platform.files)
      let engine = try factory.open(TapeRun.directory, on: platform, settings: plan.settings)
      mustOpen = false
      return engine
    } catch {
      simulation.disarmKill()
      simulation.record("open failed", 0, 0, 0)
      if error.code == .killed { return nil }
      if hasRot && error.code == .corruption {
        endAtDamage()
      } else if !mustOpen && (isExcused || reportedFaults > reportedBeforeLast) {
        mustOpen = true
      } else {
        fail(.answers, "opening failed although nothing went wrong: \(error)")
      }
      return nil
    }
  }

  private func prepareDirectory(_ files: any FileSystem) throws(EngineError) {
    if lives > 1 { return }
    do throws(PlatformError) {
      try files.createDirectory(TapeRun.directory)
      try files.syncDirectory("/")
    } catch {
      throw EngineError(error.code == .killed ? .killed : .inputOutput, "\(error)")
    }
  }

  private func endAtDamage() {
    result.counters.reportedDamage += 1
    hasEnded = true
  }

  /// Reads everything both ways and holds it against all that is known. False when the life is over.
  func check(_ engine: any KeyValueEngine) -> Bool {
    let contents: DatabaseContents
    do throws(EngineError) {
      contents = try read(engine)
      for problem in try engine.checkInvariants() { fail(.invariants, problem) }
    } catch {
      if error.code == .killed { return false }
      if hasRot {
        endAtDamage()
      } else {
        fail(.answers, "reading after an opening failed although nothing went wrong: \(error)")
      }
      return false
    }
    simulation.record("contents", contents.fingerprint, UInt64(contents.trees.count), 0)
    if lives > 1 { result.counters.recoveries += 1 }
    if let untouched, untouched != contents, !hasRot {
      fail(.durability, "recovering again gave another state: \(contents.difference(untouched))")
    }
    untouched = contents
    judge.recovered(contents.trees.map { ($0.name, $0.entries) }, afterDamage: hasRot)
    takeViolations()
    for problem in workload.recovered(contents) { fail(.workload, problem) }
    return result.failures.isEmpty
  }

  /// All trees, read forward; complaints when backward or the count says otherwise.
  private func read(_ engine: any KeyValueEngine) throws(EngineError) -> DatabaseContents {
    var contents = DatabaseContents()
    for name in try engine.treeNames().sorted() {
      let forward = try engine.scan(.all, .forward, limit: .max, in: name)
      let backward = try engine.scan(.all, .backward, limit: .max, in: name)
      compare(forward, backward, in: name)
      let count = try engine.count(in: name)
      if count != forward.count {
        fail(.iteration, "tree \"\(name)\" counts \(count) entries and shows \(forward.count)")
      }
      contents.trees.append((name, forward))
    }
    return contents
  }

  private func compare(_ forward: [Entry], _ backward: [Entry], in tree: TreeName) {
    if forward.count != backward.count {
      fail(
        .iteration,
        "tree \"\(tree)\" has \(forward.count) entries forward and \(backward.count) backward")
      return
    }
    var index = 0
    while index < forward.count {
      if index > 0 && !forward[index - 1].key.precedes(forward[index].key) {
        fail(.iteration, "tree \"\(tree)\" is out of order at entry \(index)")
        return
      }
      if forward[index] != backward[forward.count - 1 - index] {
        fail(.iteration, "tree \"\(tree)\" differs between the directions at entry \(index)")
        return
      }
      index += 1
    }
  }

  /// The end of a tape: no crash, so every answer must be exact.
  func checkAtEnd(_ engine: any KeyValueEngine) {
    do throws(EngineError) {
      for name in try engine.treeNames().sorted() {
        for direction in [Direction.forward, .backward] {
          let operation = Operation.scan(.all, direction, limit: .max, in: name)
          let ticket = judge.invoked(operation, client: 0)
          let outcome = engine.perform(operation)
          judge.returned(ticket, outcome)
          if case .failure(let code, let message, _) = outcome {
            throw EngineError(code, message)
          }
        }
      }
      for problem in try engine.checkInvariants() { fail(.invariants, problem) }
    } catch {
      if error.code != .killed && excusedErrors == 0 && !isExcused {
        fail(.answers, "reading at the end failed although nothing went wrong: \(error)")
      }
    }
    takeViolations()
  }

  /// Takes over what the judge has found.
  func takeViolations() {
    let found = judge.violations
    while violationsTaken < found.count {
      let violation = found[violationsTaken]
      violationsTaken += 1
      fail(Checker(rawValue: violation.property) ?? .model, violation.detail)
    }
  }
}

extension DatabaseContents {
  /// A hash of every byte.
  var fingerprint: UInt64 {
    var hash = Fingerprint()
    var index = 0
    while index < trees.count {
      hash.add(trees[index].name)
      hash.add(trees[index].entries)
      index += 1
    }
    return hash.value
  }

  /// Where two states differ first, in words.
  func difference(_ former: DatabaseContents) -> String {
    let names = trees.map(\.name)
    let formerNames = former.trees.map(\.name)
    if names != formerNames { return "trees \(names) instead of \(formerNames)" }
    for (now, before) in zip(trees, former.trees) where now.entries != before.entries {
      if now.entries.count != before.entries.count {
        return "\(now.entries.count) entries instead of \(before.entries.count)"
      }
      for (one, other) in zip(now.entries, before.entries) where one != other {
        return "the entry of key \(one.key) instead of that of \(other.key)"
      }
    }
    return "none"
  }
}
