internal import ArgumentParser
internal import Foundation
internal import HistoryKit
internal import SimulationFormats

/// `simulate check`.
struct CheckVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says whether a recorded history is linearizable.",
    discussion: """
      Reads our lines of JSON, Jepsen's EDN histories, and the plain lines of Jepsen's log; which one, the
      file says itself. Exits with 0 when the history is valid, 1 when it is not, 2 when the file cannot be
      read, and 3 when the answer is not known in time.
      """)

  @Argument(help: "The history.")
  var file: String

  @Option(help: "What it is held against: register, cas-register or map.")
  var model = "cas-register"

  @Option(help: "Give up after so many seconds.")
  var seconds: Double = 60

  /// Of the file, read at once.
  private static let pieceBytes = 1 << 20
  /// Of a line of it, shown at most.
  private static let shownBytes = 300

  func run() throws {
    guard let model = HistoryModel(rawValue: model) else {
      throw UsageFailure(
        "there is no model \"\(self.model)\"; there are "
          + HistoryModel.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let handle = FileHandle(forReadingAtPath: file) else {
      throw UsageFailure("\(file) cannot be read")
    }
    let start = DispatchTime.now()
    var isUnreadable = false
    let history: HistoryFile
    do throws(HistoryFileError) {
      history = try HistoryFile(model: model) {
        do {
          return try handle.read(upToCount: CheckVerb.pieceBytes).map { [UInt8]($0) } ?? []
        } catch {
          isUnreadable = true
          return []
        }
      }
    } catch {
      throw UsageFailure("\(file): \(error)")
    }
    if isUnreadable { throw UsageFailure("\(file) cannot be read") }
    let limit = seconds
    var check = HistoryCheck(
      history.calls, keys: history.keys, values: history.values, events: history.events,
      isLate: { CheckVerb.seconds(since: start) > limit })
    try report(check.verdict(), history, CheckVerb.seconds(since: start))
  }

  private func report(
    _ verdict: HistoryVerdict, _ history: HistoryFile, _ seconds: Double
  ) throws {
    Console.result(
      "history  \(history.asked) calls of \(history.keys) keys, \(history.unknown) of unknown outcome"
    )
    if let event = verdict.event, let call = verdict.call {
      let before = history.calls.count { $0.invoked < event }
      Console.result(
        "prefix   the first \(event) events, with \(before) calls begun, are linearizable")
      Console.result("offender \(history.described(call))")
      let lines = history.lines[call]
      for (name, number) in [("asked   ", lines.invoked), ("answered", lines.returned)] {
        Console.result("\(name) \(text(ofLine: Int(number)))")
      }
    }
    Console.result("time     \(ReportText.tenths(seconds)) s")
    Console.result("verdict  \(verdict.kind.rawValue)")
    switch verdict.kind {
    case .valid: return
    case .invalid: throw ExitStatus.violated
    case .unknown: throw ExitStatus.inconclusive
    }
  }

  /// A line of the file as it is there, or its beginning.
  private func text(ofLine wanted: Int) -> String {
    guard let handle = FileHandle(forReadingAtPath: file) else { return "" }
    var text: [UInt8] = []
    var line = 1
    while line <= wanted, text.count < CheckVerb.shownBytes,
      let piece = try? handle.read(upToCount: CheckVerb.pieceBytes), !piece.isEmpty
    {
      for byte in piece {
        if byte == 0x0A { line += 1 } else if line == wanted { text.append(byte) }
        if line > wanted || text.count == CheckVerb.shownBytes { break }
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func seconds(since start: DispatchTime) -> Double {
    Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
  }
}
