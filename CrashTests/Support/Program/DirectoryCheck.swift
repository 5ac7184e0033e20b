internal import EngineKit
internal import HistoryKit
internal import Platform

/// Looks at a directory that a failing round has left: recovers it, in a process of its own, and says what is in it. Only
/// what needs no history is judged: that it opens, is read alike from both ends, and verifies.
struct DirectoryCheck {
  let subject: any CrashSubject
  let options: ProgramOptions
  let factory: any EngineFactory

  /// The exit code.
  func run(_ directory: String) throws(PlatformError) -> Int32 {
    guard try PlatformServices.real.files.status(directory) != nil else {
      throw PlatformError(.notFound, operation: "check", path: directory)
    }
    var child = SoleChild(.check, in: directory, options, factory)
    child.options.ending = .close
    let reading = Reading()
    var faults: [String] = []
    let result = try child.live(.crashed)
    for report in result.reports {
      reading.hear(report)
      if report.kind == .refused { faults.append(report.text) }
    }
    for tree in reading.trees {
      print("tree \"\(tree.name)\": \(tree.forward.count) entries")
    }
    faults += reading.wrong + reading.findings
    faults += subject.problems(in: RecoveredState(trees: reading.trees))
    let holds = SoleChild.isFaultless(faults, result)
    print(holds ? "held" : "violated")
    return holds ? 0 : 1
  }
}
