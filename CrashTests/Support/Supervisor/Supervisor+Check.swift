internal import EngineKit
internal import HistoryKit
internal import Platform

/// A child that reads everything after a recovery, and what is held against it.
extension Supervisor {
  func check(_ ending: ChildOptions.Ending) throws(PlatformError) {
    var child = childOptions(.check)
    child.ending = ending
    let reading = Reading()
    let result = try listen(child, ending == .wait ? .afterReading : nil) { report in
      reading.hear(report)
      if report.kind == .phase, report.number == Phase.read.rawValue { judgeContents(reading) }
      if report.kind == .refused {
        let error = FailureText.decode(report.text)
        if reading.isWhole {
          judge.closed(error, step: step)
        } else {
          judge.opened(error, step: step)
        }
      }
    }
    if result.isStruck {
      judge.crashed(.processKill, step: step)
      crashed = true
    } else if result.phase == .closed {
      if ending == .close { judge.closed(nil, step: step) }
      crashed = false
    }
    takeViolations()
    for wrong in reading.wrong { find("answer", wrong) }
    guard judgeEnd(result, "reading after recovery"), findings.isEmpty else { return }
    if let bytes = reading.space { checkEmptied(bytes) } else { checkSpace() }
  }

  private func judgeContents(_ reading: Reading) {
    reading.isWhole = true
    state = RecoveredState(trees: reading.trees)
    tally.checked += 1
    tally.entries += state.count
    judge.opened(nil, step: step)
    judge.recovered(state, step: step)
    judge.inspected(reading.findings, step: step)
    for problem in subject.problems(in: state) { find(subject.name, problem) }
  }

  // MARK: Space

  /// Directories that live on must not grow without end, whatever the kills have left behind.
  ///
  /// Sound, by a wide margin: what a process was about to write, or to remove, when it was killed is bounded by its
  /// segments and its checkpoint interval; the next process finds it.
  private func checkSpace() {
    guard let emptyBytes, let kept = factory.spaceKept(settings) else { return }
    var live = 0
    for tree in state.trees {
      for entry in tree.forward { live += entry.key.count + entry.value.count + 64 }
    }
    let bound =
      Int64(6 * live + 12 * kept + 8 * settings.checkpointInterval) + 2 * emptyBytes + (1 << 20)
    let bytes = Folder(database, platform.files).allocatedBytes
    if bytes > bound {
      find(
        "space",
        "\(bytes) bytes on disk for \(state.count) entries with \(live) bytes; \(bound) are allowed")
    }
  }

  /// The same promise that simulations hold engines to.
  private func checkEmptied(_ bytes: Int64) {
    guard let emptyBytes, let kept = factory.spaceKept(settings) else { return }
    let bound = emptyBytes + emptyBytes / 10 + Int64(kept)
    if bytes > bound {
      find(
        "space",
        "everything was removed, and \(bytes) bytes stay on disk; a new database takes "
          + "\(emptyBytes), and \(bound) are allowed")
    }
  }
}

/// What a checking child has told.
final class Reading {
  private(set) var trees: [RecoveredState.Tree] = []
  private(set) var findings: [String] = []
  private(set) var wrong: [String] = []
  private(set) var space: Int64?
  var isWhole = false

  func hear(_ report: Report) {
    switch report.kind {
    // What a scan backward shows was compared by the child.
    case .tree: trees.append(RecoveredState.Tree(report.text, forward: [], backward: []))
    case .entry:
      guard !trees.isEmpty, report.number <= report.body.count else { return }
      trees[trees.count - 1].forward.append(
        Entry(
          Array(report.body[..<report.number]), Array(report.body[report.number...])))
    case .finding: findings.append(report.text)
    case .wrong: wrong.append(report.text)
    case .space: space = Int64(report.word)
    default: break
    }
  }
}
