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
      directoryState = .crashed
    } else if result.phase == .closed {
      if ending != .empty { judge.closed(nil, step: step) }
      directoryState = .closed
    }
    takeViolations()
    for wrong in reading.wrong { find("answer", wrong) }
    guard judgeEnd(result, "reading after recovery"), findings.isEmpty else { return }
    if let bytes = reading.space { checkSpace(bytes, isEmpty: ending == .empty) }
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

  /// Whatever the kills have left behind, an engine that was given every chance to settle takes no more than
  /// what it holds is worth. Emptied, it is held to the promise that simulations hold it to.
  ///
  /// Sound for others by a wide margin: half of what lies on disk may be dead, and of each kind of segment
  /// several may be begun.
  private func checkSpace(_ bytes: Int64, isEmpty: Bool) {
    guard let emptyBytes, let kept = factory.spaceKept(settings) else { return }
    var bound = emptyBytes + emptyBytes / 10 + Int64(kept)
    if !isEmpty {
      var live = 0
      for tree in state.trees {
        for entry in tree.forward { live += entry.key.count + entry.value.count + 32 }
      }
      bound += Int64(2 * live + 2 * kept)
    }
    let beyond = (bytes - emptyBytes) * 1000 / (bound - emptyBytes)
    tally.fullest = max(tally.fullest, Int(beyond))
    if bytes <= bound { return }
    let what = isEmpty ? "everything was removed" : "\(state.count) entries are there"
    find(
      "space",
      "\(what), and the engine has settled; it takes \(bytes) bytes on disk, a new database "
        + "\(emptyBytes), and \(bound) are allowed")
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
