internal import EngineKit
internal import Platform
internal import SimulationKit

/// Writes the calls of a life to a log, from which `simulate crash-states --log` makes every state that a power cut
/// could have left: what no kill can show.
struct LifeRecorder: Sendable {
  let files: RecordingFileSystem

  /// Begins the log. Throws `.alreadyExists` where there is such a file.
  init(_ options: ChildOptions, _ subject: any CrashSubject) throws(PlatformError) {
    let real = options.platform.files
    files = RecordingFileSystem(real, to: try CallLogWriter(creating: options.record, on: real))
    try files.recordContents(of: options.directory)
    try files.mark(
      .subject(
        engine: options.factory.name, directory: options.directory,
        settings: options.settings(of: subject)))
  }

  /// A log with a gap is worth nothing: where it cannot be written, the life ends.
  func mark(_ mark: CallMark) {
    do throws(PlatformError) { try files.mark(mark) } catch {
      ReportSender.send(Report(.wrong, text: "the log cannot be written: \(error)"))
      ThisProcess.exit(4)
    }
  }
}
