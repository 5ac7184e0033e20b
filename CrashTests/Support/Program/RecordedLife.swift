internal import EngineKit
internal import Platform

/// One life in a directory of its own, with every call logged; nobody kills it.
struct RecordedLife {
  let subject: any CrashSubject
  let options: ProgramOptions
  let factory: any EngineFactory

  /// The exit code.
  func run(to file: String) throws(PlatformError) -> Int32 {
    let directory = options.directory + "/crash-\(subject.name)-recorded-\(ThisProcess.number)"
    var child = SoleChild(.work, in: directory, options, factory)
    child.options.operations = options.operations
    child.options.record = file
    let result = try child.live(.new)
    Folder(directory, PlatformServices.real.files).erase()
    var faults: [String] = []
    var acknowledged = 0
    for report in result.reports {
      switch report.kind {
      case .done: acknowledged += 1
      case .wrong, .refused, .failed: faults.append(report.text)
      default: break
      }
    }
    guard SoleChild.isFaultless(faults, result) else { return 1 }
    print("crash-\(subject.name): \(acknowledged) operations in \(file)")
    print("next     simulate crash-states --log \(file)")
    return 0
  }
}
