internal import ArgumentParser
internal import CrashRuns
internal import Foundation
internal import SimulationFormats
internal import SimulationKit

/// `simulate crash-states`.
struct CrashStatesVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-states",
    abstract: "Recovers from every state that a power cut could leave of a recorded run.",
    discussion: """
      At every I/O call of a run: nothing of what is not synced, all of it, each prefix, each single sector, \
      length or name lost or kept, each sector torn, and all combinations of up to twelve. With --log the run \
      is one on real files, as a RecordingFileSystem has logged it. Exits with 0 when every promise held, \
      1 when one did not, and 2 when the input cannot be used.
      """)

  @Argument(help: "Recorded runs; without any, their names are listed.")
  var runs: [String] = []
  @Flag(help: "All recorded runs.")
  var all = false
  @Option(help: "A call log of a real run.")
  var log: [String] = []
  @Option(help: "The engine under test; of a log, the one that it names.")
  var engine: String?
  @Option(
    help: "2: the recovery from each distinct image is crashed too, at each of its I/O calls.")
  var depth = 1
  @Option(help: "Samples are drawn from it.")
  var seed: UInt64 = 1
  @Option(help: "Worker processes.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
  @Option(help: "At most so many states of each moment; of a log 128 unless said, of a run all.")
  var states: Int?
  @Option(
    help: "At most so many moments with all of these; of a log 1000 unless said, of a run all.")
  var moments: Int?
  @Option(help: "With --depth 2, crash the recovery of at most so many images of a run.")
  var crashed: Int?
  @Option(help: "Only this state, as a failure names it.")
  var state: String?
  @Option(help: "How the result is printed: text or json.")
  var format = RunVerb.Format.text

  func validate() throws {
    if depth != 1 && depth != 2 { throw ValidationError("--depth must be 1 or 2") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    for limit in [states, moments, crashed] {
      if let limit, limit < 1 { throw ValidationError("limits must be at least 1") }
    }
  }

  func run() throws {
    let requests = try makeRequests()
    if requests.isEmpty {
      Console.result(RunCatalogue.all.map { "\($0.name): \($0.summary)" }.joined(separator: "\n"))
      return
    }
    if let engine { _ = try Lookup.engine(engine) }
    Console.error(
      "simulate: \(requests.count) \(requests.count == 1 ? "run" : "runs"), depth \(depth), "
        + "\(jobs) \(jobs == 1 ? "worker" : "workers")")
    let results = try CrashStatesRunner(requests, jobs: jobs).run()
    let report = CrashStatesJSON(engine: engine ?? "luge", depth: depth, results)
    switch format {
    case .json:
      do throws(FormatError) { Console.result(try report.encoded()) } catch {
        throw UsageFailure(error.description)
      }
    case .text: Console.result(CrashStatesText(report, requests).text)
    }
    if report.verdict == "invalid" { throw ExitStatus.violated }
    if let obstacle = results.compactMap(\.obstacle).first { throw UsageFailure(obstacle) }
  }

  private func makeRequests() throws -> [CrashRequest] {
    var options = CrashStatesOptions(depth: depth, seed: seed)
    options.statesOfMoment = states
    options.moments = moments
    options.imagesCrashed = crashed
    options.only = state
    if let state, state.contains("/") { options.depth = 2 }
    var requests: [CrashRequest] = []
    for name in runs + (all ? RunCatalogue.all.map(\.name) : []) {
      if RunCatalogue.named(name) == nil {
        throw UsageFailure("there is no run \"\(name)\"; see `simulate crash-states`")
      }
      if requests.contains(where: { $0.run == name }) { continue }
      requests.append(CrashRequest(run: name, isLog: false, engine: engine, options: options))
    }
    options.statesOfMoment = states ?? 128
    options.moments = moments ?? 1000
    for path in log {
      requests.append(CrashRequest(run: path, isLog: true, engine: engine, options: options))
    }
    return requests
  }
}
