internal import EngineKit
internal import HistoryKit
internal import Platform

/// Looks at a directory that a failing round has left: recovers it, in a process of its own, and says what is in it. Only
/// what needs no history is judged: that it opens, is read alike from both ends, and verifies.
struct DirectoryCheck {
  let subject: any CrashSubject
  let options: ProgramOptions
  let factory: any EngineFactory

  init(_ subject: any CrashSubject, _ options: ProgramOptions, _ factory: any EngineFactory) {
    self.subject = subject
    self.options = options
    self.factory = factory
  }

  /// The exit code.
  func run(_ directory: String) throws(PlatformError) -> Int32 {
    let platform = PlatformServices.real
    guard try platform.files.status(directory) != nil else {
      throw PlatformError(.notFound, operation: "check", path: directory)
    }
    var child = ChildOptions()
    child.task = .check
    child.engine = factory.name
    child.directory = directory
    child.seed = options.seed
    child.epoch = options.epoch
    child.ending = .close
    let run = ChildRun(
      platform: platform, program: options.program, log: "/dev/stderr",
      patience: UInt64(options.patience) * 1_000_000_000)
    var durations = Durations()
    let reading = Reading()
    var problems: [String] = []
    let result = try run.run(child, nil, measuring: &durations, .crashed)
    for report in result.reports {
      reading.hear(report)
      if report.kind == .refused { problems.append(report.text) }
    }
    for tree in reading.trees {
      print("tree \"\(tree.name)\": \(tree.forward.count) entries")
    }
    problems += reading.wrong + reading.findings
    problems += subject.problems(in: RecoveredState(trees: reading.trees))
    if let stuck = result.stuck { problems.append("it hangs: \(stuck)") }
    if result.end != .exit(0) && problems.isEmpty {
      problems.append("the process ended so: \(result.end)")
    }
    for problem in problems { print("FAILED   " + problem) }
    print(problems.isEmpty ? "held" : "violated")
    return problems.isEmpty ? 0 : 1
  }
}
