internal import EngineKit
internal import SimulationKit

/// What a campaign is to do.
struct CampaignPlan: Sendable {
  var scenarios: [any TapeSubject]
  /// Scenarios that cannot run on this engine, and why.
  var skipped: [String]
  var factory: any EngineFactory
  var seed: UInt64
  /// Tapes of each scenario.
  var tapes: Int
  var options: TapeOptions
  /// Worker processes.
  var jobs: Int
  var twice: Bool
  /// No tape is begun after this time.
  var seconds: Double?
  /// The directory of failing tapes.
  var output: String
  /// No tape is begun after one has failed.
  var endsAtFailure = false

  /// Failing tapes that are shrunk and saved; further ones are counted.
  static let mostFailuresShrunk = 8
  /// Of one scenario.
  static let mostFailuresShrunkOfScenario = 3

  /// A piece of work for one worker.
  struct Job: Sendable {
    /// Place in `scenarios`.
    var scenario: Int
    var tapes: Range<Int>
    /// True: run this one tape again, shrink it and save it.
    var shrinks = false

    /// Without its first tape; nil where there is no other.
    var rest: Job? {
      if tapes.count < 2 { return nil }
      return Job(scenario: scenario, tapes: tapes.lowerBound + 1..<tapes.upperBound)
    }
  }

  /// All tapes in pieces that keep the workers equally busy; the scenarios take turns, so that a
  /// campaign cut short has run some of each.
  var pieces: [Job] {
    let size = max(1, min(endsAtFailure ? 2 : 16, tapes / (jobs * 4)))
    var pieces: [Job] = []
    var first = 0
    while first < tapes {
      let range = first..<min(first + size, tapes)
      for scenario in scenarios.indices { pieces.append(Job(scenario: scenario, tapes: range)) }
      first += size
    }
    return pieces
  }
}
