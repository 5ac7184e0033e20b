internal import EngineKit

/// The kept events as rows: one a call, from its invocation to its return, and one for each thing
/// that happened to the process.
struct ReportTimeline {
  enum Kind {
    case call(client: Int, text: String, outcome: String, isFailure: Bool)
    case world(String, isCrash: Bool)
  }

  struct Row {
    var first: Int
    /// The step of the return; nil where there was none.
    var last: Int?
    var kind: Kind
    var call: Call?

    var steps: String {
      guard let last, last != first else { return "\(first)" }
      return "\(first)\u{2013}\(last)"
    }
    /// True for a violation found when this ended.
    func covers(step: Int) -> Bool { step == (last ?? first) }
  }

  private(set) var rows: [Row] = []
  /// The clients that appear, ascending.
  private(set) var clients: [Int] = []
  let omitted: Int

  init(_ history: History) {
    omitted = history.total - history.records.count
    for record in history.records { add(record) }
    clients.sort()
  }

  private mutating func add(_ record: History.Record) {
    switch record.event {
    case .invoked(let call): begin(call)
    case .returned(let call, let outcome):
      // The invocation may be older than what is kept.
      if !rows.contains(where: { $0.call === call }) { begin(call) }
      guard let place = rows.lastIndex(where: { $0.call === call }) else { return }
      rows[place].last = record.step
      rows[place].kind = .call(
        client: call.client, text: Described.operation(call.operation),
        outcome: Described.outcome(outcome), isFailure: outcome.isFailure)
    case .crashed: world(record, isCrash: true)
    default: world(record, isCrash: false)
    }
  }

  private mutating func begin(_ call: Call) {
    if !clients.contains(call.client) { clients.append(call.client) }
    rows.append(
      Row(
        first: call.invokedStep, last: nil,
        kind: .call(
          client: call.client, text: Described.operation(call.operation),
          outcome: "never returned", isFailure: true), call: call))
  }

  private mutating func world(_ record: History.Record, isCrash: Bool) {
    let kind = Kind.world(record.event.described, isCrash: isCrash)
    rows.append(Row(first: record.step, last: nil, kind: kind))
  }
}
