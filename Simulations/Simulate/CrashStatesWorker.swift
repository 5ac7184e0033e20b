internal import ArgumentParser
internal import CrashRuns
internal import EngineKit
internal import Foundation
internal import SimulationFormats
internal import SimulationKit

/// The hidden verb that `crash-states` starts: reads requests, goes through crash states, answers,
/// a line each. Before each recovery it notes the state in a file, so that its death has a place.
struct CrashStatesWorker: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-states-worker", abstract: "Goes through crash states.",
    shouldDisplay: false)

  @Option(help: "Where the state that comes next is noted.")
  var beat: String

  /// Bytes of a note.
  static let noteBytes = 256
  /// Seconds after which one recovery counts as one that does not end.
  static let patience: UInt32 = 60
  /// Images between two replies on the way.
  private static let imagesOfReply = 500

  func run() throws {
    // The path is lent for the call.
    let note = unsafe open(beat, O_WRONLY | O_CREAT, 0o600)
    if note < 0 { throw UsageFailure("cannot write \(beat)") }
    defer { close(note) }
    try WorkerLines.serve(CrashRequest.self) { request in
      try WorkerLines.answer(try explore(request, note))
      return true
    }
  }

  private func explore(_ request: CrashRequest, _ note: Int32) throws -> CrashReply {
    let began = WorkerVerb.cpuSeconds
    var fresh = 0
    // What is noted is of the run before, or of the worker before.
    CrashStatesWorker.write("", to: note)
    defer { alarm(0) }
    let (calls, factory, problem) = try material(request)
    var result: CrashStatesResult
    if let problem {
      result = CrashStatesResult(name: request.run)
      result.failingStates = 1
      result.findings = [CrashFinding(property: "recording", detail: problem, state: "")]
    } else {
      let exploration = CrashExploration(
        request.run, calls, factory, options: request.options
      ) { state in
        alarm(CrashStatesWorker.patience)
        CrashStatesWorker.write(state, to: note)
        fresh += 1
        if fresh == CrashStatesWorker.imagesOfReply {
          try? WorkerLines.answer(CrashReply(images: fresh))
          fresh = 0
        }
      }
      result = exploration.run()
    }
    result.cpuSeconds = WorkerVerb.cpuSeconds - began
    return CrashReply(images: fresh, result: result)
  }

  private static func write(_ state: String, to note: Int32) {
    var bytes = Array(state.utf8.prefix(noteBytes))
    while bytes.count < noteBytes { bytes.append(0x20) }
    // The array has as many bytes as are written.
    _ = unsafe pwrite(note, bytes, bytes.count, 0)
  }

  /// The calls to go through, and the engine that they are of.
  private func material(
    _ request: CrashRequest
  ) throws -> (calls: [LoggedCall], factory: any EngineFactory, problem: String?) {
    if !request.isLog {
      let factory = try Lookup.engine(request.engine ?? "luge")
      guard let run = RunCatalogue.named(request.run) else {
        throw UsageFailure("there is no run \"\(request.run)\"")
      }
      let recorded = RunRecorder(run, factory).record()
      return (recorded.calls, factory, recorded.problem)
    }
    guard let data = FileManager.default.contents(atPath: request.run) else {
      throw UsageFailure("cannot read \(request.run)")
    }
    let log: CallLog
    do throws(CallLogError) { log = try CallLog(reading: [UInt8](data)) } catch {
      throw UsageFailure("\(request.run): \(error)")
    }
    var name = request.engine ?? "luge"
    if request.engine == nil {
      for case .mark(.subject(let engine, _, _)) in log.calls { name = engine }
    }
    return (log.calls, try Lookup.engine(name), nil)
  }
}
