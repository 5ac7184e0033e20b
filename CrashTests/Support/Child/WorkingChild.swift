internal import EngineKit
internal import Platform
internal import SimulationKit

/// A life: opens the database, works with several threads until each has made so many operations, and closes. Most
/// are killed before.
struct WorkingChild {
  let subject: any CrashSubject
  let options: ChildOptions

  /// The exit code.
  func run() -> Int32 {
    var recorder: LifeRecorder?
    if !options.record.isEmpty {
      do throws(PlatformError) {
        recorder = try LifeRecorder(options, subject)
      } catch {
        ReportSender.send(Report(.wrong, text: "\(error)"))
        return 4
      }
    }
    ReportSender.phase(.opening)
    let engine: any KeyValueEngine
    do throws(EngineError) {
      engine = try options.open(subject, on: recorder?.files)
    } catch {
      ReportSender.send(Report(.refused, text: FailureText.encode(error)))
      return 3
    }
    ReportSender.phase(.open)
    recorder?.mark(.opened)
    let stream = OperationStream(
      subject, options.factory.capabilities, seed: options.seed, life: options.life)
    let threads = options.platform.threads
    var clients: [ThreadID] = []
    do throws(PlatformError) {
      for index in 0..<stream.clients {
        let work = ClientWork(engine, stream, index, options, recorder)
        clients.append(try threads.spawn("client-\(index)") { work.run() })
      }
      for client in clients { try threads.join(client) }
    } catch {
      ReportSender.send(Report(.wrong, text: "threads: \(error)"))
      return 4
    }
    ReportSender.phase(.closing)
    do throws(EngineError) {
      try engine.close()
    } catch {
      ReportSender.send(Report(.refused, text: FailureText.encode(error)))
      return 3
    }
    recorder?.mark(.closed)
    ReportSender.phase(.closed)
    return 0
  }
}

/// What one client does. It reports each return before anything else happens.
private struct ClientWork: Sendable {
  let engine: any KeyValueEngine
  let stream: OperationStream
  let index: Int
  let options: ChildOptions
  let recorder: LifeRecorder?

  init(
    _ engine: any KeyValueEngine, _ stream: OperationStream, _ index: Int,
    _ options: ChildOptions, _ recorder: LifeRecorder?
  ) {
    self.engine = engine
    self.stream = stream
    self.index = index
    self.options = options
    self.recorder = recorder
  }

  func run() {
    var knowledge = Knowledge(client: index)
    var number = 0
    while number < options.operations {
      let operation = stream.operation(number, of: index)
      if let what = OperationStream.announced(operation) {
        var report = Report(.asked, client: index, number: number)
        report.word = UInt64(what.rawValue)
        ReportSender.send(report)
      }
      let call = UInt64(number * stream.clients + index)
      recorder?.mark(.began(call: call, client: index, operation: operation))
      let outcome = engine.perform(operation)
      recorder?.mark(.ended(call: call, outcome: outcome))
      ReportSender.send(report(outcome, number))
      if let problem = knowledge.learn(operation, outcome) {
        ReportSender.send(Report(.wrong, client: index, number: number, text: problem))
        return
      }
      number += 1
      if options.pause > 0 {
        // Only a simulated process is told that it was killed.
        do throws(PlatformError) {
          try options.platform.clock.sleep(nanoseconds: options.pause)
        } catch { return }
      }
    }
  }

  private func report(_ outcome: Outcome, _ number: Int) -> Report {
    switch outcome {
    case .failure(let code, let message, let refused):
      let error = EngineError(code, message, isRefused: refused)
      return Report(
        .failed, client: index, number: number, text: FailureText.encode(error))
    case .identifier(let id):
      var report = Report(.done, client: index, number: number)
      report.word = id
      return report
    case .exchange(let flag, _), .flag(let flag):
      var report = Report(.done, client: index, number: number)
      report.flag = flag
      return report
    default: return Report(.done, client: index, number: number)
    }
  }
}

/// An engine's error as text, and back.
enum FailureText {
  static func encode(_ error: EngineError) -> String {
    "\(error.code.rawValue) \(error.isRefused ? "refused" : "failed") \(error.message)"
  }

  static func decode(_ text: String) -> EngineError {
    let parts = text.split(separator: " ", maxSplits: 2).map(String.init)
    guard parts.count >= 2, let code = EngineError.Code(rawValue: parts[0]) else {
      return EngineError(.other, text)
    }
    return EngineError(
      code, parts.count > 2 ? parts[2] : "", isRefused: parts[1] == "refused")
  }
}
