internal import EngineKit
internal import SimulationKit

/// Many small independent trials by number: damages of a database, or calls that fail in turn.
protocol TrialSet {
  /// Trials are numbered from 0.
  var count: Int { get }
  /// Runs one.
  func run(_ index: Int) -> TrialResult
  /// What a trial is, for a report; and the arguments of `simulate` that run it alone.
  func describe(_ index: Int) -> String
  func command(_ index: Int) -> String
}

/// What came of one trial.
struct TrialResult {
  /// What it was done to, as a kind of record.
  var group: String
  var outcome: String
  /// What is wrong; nil: nothing.
  var violation: String?
  /// Calls, bytes or whatever else is counted beside.
  var work = 0
}

/// What a worker is told: run these trials. One reply for all of them, or one for each.
struct TrialRequest: Codable {
  var first: Int
  var count: Int
}

/// What a worker answers.
struct TrialReply: Codable {
  struct Count: Codable {
    var group: String
    var outcome: String
    var count: Int
  }
  struct Violation: Codable {
    var index: Int
    var group: String
    var what: String
    var command: String
    var detail: String
  }

  var counts: [Count] = []
  var violations: [Violation] = []
  var done = 0
  var work = 0
  var cpuSeconds = 0.0

  mutating func add(_ group: String, _ outcome: String, _ number: Int) {
    if let place = counts.firstIndex(where: { $0.group == group && $0.outcome == outcome }) {
      counts[place].count += number
    } else {
      counts.append(Count(group: group, outcome: outcome, count: number))
    }
  }

  mutating func add(_ other: TrialReply) {
    for count in other.counts { add(count.group, count.outcome, count.count) }
    violations += other.violations
    done += other.done
    work += other.work
    cpuSeconds += other.cpuSeconds
  }

  /// Says of trials whose worker died what they were.
  mutating func name(by trials: any TrialSet) {
    for place in violations.indices {
      violations[place].what = trials.describe(violations[place].index)
      violations[place].command = trials.command(violations[place].index)
    }
  }
}
