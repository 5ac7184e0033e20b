internal import EngineKit
internal import Platform

/// One life in a directory of its own, with every call logged; nobody kills it.
struct RecordedLife {
  let subject: any CrashSubject
  let options: ProgramOptions
  let factory: any EngineFactory

  init(_ subject: any CrashSubject, _ options: ProgramOptions, _ factory: any EngineFactory) {
    self.subject = subject
    self.options = options
    self.factory = factory
  }

  /// The exit code.
  func run(to file: String) throws(PlatformError) -> Int32 {
    let platform = PlatformServices.real
    var child = ChildOptions()
    child.task = .work
    child.engine = factory.name
    child.directory = options.directory + "/crash-\(subject.name)-recorded-\(ThisProcess.number)"
    child.seed = options.seed
    child.epoch = options.epoch
    child.operations = options.operations
    child.record = file
    let run = ChildRun(
      platform: platform, program: options.program, log: "/dev/stderr",
      patience: UInt64(options.patience) * 1_000_000_000)
    var durations = Durations()
    let result = try run.run(child, nil, measuring: &durations, .new)
    Folder(child.directory, platform.files).erase()
    var problems: [String] = []
    var acknowledged = 0
    for report in result.reports {
      switch report.kind {
      case .done: acknowledged += 1
      case .wrong, .refused, .failed: problems.append(report.text)
      default: break
      }
    }
    if let stuck = result.stuck { problems.append("it hangs: \(stuck)") }
    if result.end != .exit(0) && problems.isEmpty {
      problems.append("the process ended so: \(result.end)")
    }
    for problem in problems { print("FAILED   " + problem) }
    guard problems.isEmpty else { return 1 }
    print("crash-\(subject.name): \(acknowledged) operations in \(file)")
    print("next     simulate crash-states --log \(file)")
    return 0
  }
}
