internal import EngineKit

/// A history as lines of text, one an event, for terminals and for comparing.
extension History: Equatable {
  public var lines: [String] { records.map { "\($0.step)  \($0.event.described)" } }

  /// The same events, as far as their descriptions tell.
  public static func == (left: History, right: History) -> Bool {
    left.total == right.total && left.lines == right.lines
  }
}

extension HistoryEvent {
  /// One line, without the step.
  var described: String {
    switch self {
    case .invoked(let call):
      return "client \(call.client)  \(Described.operation(call.operation)) ..."
    case .returned(let call, let outcome):
      return "client \(call.client)  \(Described.operation(call.operation)) -> "
        + Described.outcome(outcome)
    case .met(let fault): return "fault: \(fault.rawValue)"
    case .crashed(let kind): return "crash: \(kind.rawValue)"
    case .opened(let failure): return failure.map { "opening failed: \($0)" } ?? "opened"
    case .recovered(let state): return "recovered \(state.count) entries"
    case .inspected(let findings):
      return findings.isEmpty ? "invariants hold" : findings.joined(separator: "; ")
    case .closed(let failure): return failure.map { "closing failed: \($0)" } ?? "closed"
    case .abandoned: return "given up; a new database from here"
    }
  }
}
