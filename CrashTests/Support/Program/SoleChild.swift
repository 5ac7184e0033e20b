internal import EngineKit
internal import Platform

/// A child outside of all rounds, which nobody strikes. What it says beside its reports goes where this process's errors
/// go.
struct SoleChild {
  var options = ChildOptions()
  private let run: ChildRun

  init(
    _ task: ChildOptions.Task, in directory: String, _ program: ProgramOptions,
    _ factory: any EngineFactory
  ) {
    options.task = task
    options.engine = factory.name
    options.directory = directory
    options.seed = program.seed
    options.epoch = program.epoch
    run = ChildRun(
      platform: .real, program: program.program, log: "/dev/stderr",
      patience: UInt64(program.patience) * 1_000_000_000)
  }

  /// `state`: how the directory was left.
  func live(_ state: DirectoryState) throws(PlatformError) -> ChildResult {
    var durations = Durations()
    return try run.run(options, nil, measuring: &durations, state)
  }

  /// Prints what its reports are faulted with, and its end. Whether there is nothing of either. A bad end that a fault
  /// explains is not told.
  static func isFaultless(_ faults: [String], _ result: ChildResult) -> Bool {
    var faults = faults
    if let stuck = result.stuck { faults.append("it hangs: \(stuck)") }
    if result.end != .exit(0) && faults.isEmpty {
      faults.append("the process ended so: \(result.end)")
    }
    for fault in faults { print("FAILED   " + fault) }
    return faults.isEmpty
  }
}
