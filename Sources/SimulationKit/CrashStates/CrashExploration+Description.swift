internal import HistoryKit

/// Findings in words.
extension CrashExploration {
  /// Lines of a finding, at most.
  private static let mostLines = 24

  func describe(
    _ problem: Violation, _ id: StateID, _ choices: [Int32], _ pending: PendingChanges,
    _ call: LoggedCall?
  ) -> CrashFinding {
    describe(problem, id.text, choices, pending, call)
  }

  func describe(
    _ problem: Violation, _ id: String, _ choices: [Int32], _ pending: PendingChanges,
    _ call: LoggedCall?
  ) -> CrashFinding {
    var finding = CrashFinding(property: problem.property, detail: problem.detail, state: id)
    let newest = pending.newest
    for place in choices.indices {
      if choices[place] != newest[place] { finding.lost += 1 }
      if choices[place] != 0 { finding.kept += 1 }
    }
    finding.lines.append("the power goes before: \(call.map(describe) ?? "the end of the log")")
    let saysLost = finding.lost <= finding.kept
    for (place, item) in pending.items.enumerated() {
      let isSaid = saysLost ? choices[place] != newest[place] : choices[place] != 0
      if !isSaid { continue }
      if finding.lines.count == CrashExploration.mostLines {
        finding.lines.append("and more")
        break
      }
      finding.lines.append(describe(item, choices[place], newest[place], pending))
    }
    if finding.lost == 0 { finding.lines.append("nothing is lost") }
    if finding.kept == 0 && finding.lost > 0 { finding.lines.append("all unsynced is lost") }
    return finding
  }

  private func describe(
    _ item: PendingChanges.Item, _ choice: Int32, _ newest: Int32, _ pending: PendingChanges
  ) -> String {
    switch item {
    case .name(let place):
      let names = pending.names[place].assignments.map { assignment in
        String(decoding: assignment.name, as: UTF8.self)
          + (assignment.target == nil ? " removed" : " made")
      }
      return "\(choice == 0 ? "lost" : "kept"): \(names.joined(separator: ", "))"
    case .length(let place):
      let file = pending.files[place]
      return "length of \(path(of: file.slot, pending)): \(file.lengths[Int(choice)]) of "
        + "\(file.lengths[file.lengths.count - 1]) bytes"
    case .sector(let number, let n):
      let file = pending.files[number]
      let place = "sector \(file.chains.sector(n)) of \(path(of: file.slot, pending))"
      if choice < 0 { return "torn: \(place)" }
      if choice == newest { return "kept: \(place)" }
      return choice == 0
        ? "lost: \(place)" : "\(place): write \(choice) of \(newest) was the last"
    }
  }

  private func path(of slot: Int, _ pending: PendingChanges) -> String {
    pending.path(of: slot) ?? "a file without a name"
  }

  private func describe(_ call: LoggedCall) -> String {
    switch call {
    case .open(_, let path, _): "create \(path)"
    case .close(let handle): "close of file \(handle)"
    case .createDirectory(let path): "create directory \(path)"
    case .write(let handle, let offset, let bytes):
      "write of \(bytes.count) bytes at \(offset) to file \(handle)"
    case .truncate(let handle, let length): "truncate file \(handle) to \(length)"
    case .allocate(let handle, let offset, let length):
      "allocate \(length) bytes at \(offset) of file \(handle)"
    case .punchHole(let handle, let offset, let length):
      "punch out \(length) bytes at \(offset) of file \(handle)"
    case .rename(let path, let other): "rename \(path) to \(other)"
    case .remove(let path): "remove \(path)"
    case .removeDirectory(let path): "remove directory \(path)"
    case .syncBegan(_, let handle, _): "sync of file \(handle)"
    case .directorySyncBegan(_, let path): "sync of directory \(path)"
    case .syncEnded(let number, _): "the end of sync \(number)"
    case .settled, .mark: "nothing"
    }
  }
}
