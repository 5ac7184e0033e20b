/// Makes a failing tape simple: fewer groups, fewer choices that are not zero, smaller values.
///
/// Invariants:
/// - Every tape that it keeps was seen to fail.
/// - Every tape that it keeps is simpler than the one before (`TapeComplexity`), so it ends.
/// - It decides by the tape and the answers alone: the same input is shrunk the same way.
///
/// The caller's predicate should hold only for the *same* property failing: else one failure is
/// shrunk into another.
public struct Shrinker: Sendable {
  /// The most runs of the predicate.
  public var maximumRuns: Int

  public init(maximumRuns: Int) { self.maximumRuns = maximumRuns }

  /// Shrinks `choices`, which fail. `stillFails` says of a tape whether it does too; an error that
  /// it throws ends the shrinking and is given in the result. `shouldStop` is asked before each
  /// run.
  public func shrink(
    _ choices: [Choice], shouldStop: () -> Bool = { false },
    stillFails: ([Choice]) throws -> Bool
  ) -> ShrinkResult {
    shrink(choices, shouldStop: shouldStop, rerun: { try stillFails($0) ? $0 : nil })
  }

  /// The same, and better: `rerun` answers the choices that the run *recorded* where it still
  /// failed, nil where it did not. What a run never drew is then dropped at once.
  public func shrink(
    _ choices: [Choice], shouldStop: () -> Bool = { false },
    rerun: ([Choice]) throws -> [Choice]?
  ) -> ShrinkResult {
    withoutActuallyEscaping(shouldStop) { shouldStop in
      withoutActuallyEscaping(rerun) { rerun in
        var session = ShrinkSession(
          choices: choices, maximumRuns: maximumRuns, shouldStop: shouldStop, rerun: rerun)
        session.shrinkToFixpoint()
        return ShrinkResult(
          choices: session.best, runs: session.runs, isComplete: !session.isOver,
          error: session.error)
      }
    }
  }
}

/// What came of shrinking.
public struct ShrinkResult {
  /// The simplest tape found. Its lanes are without trailing zeros: those are what an exhausted
  /// lane answers anyway.
  public var choices: [Choice]
  /// How often the predicate was asked.
  public var runs: Int
  /// True when no pass could do any more; false when the budget or the caller ended it.
  public var isComplete: Bool
  /// What the predicate threw, if it did.
  public var error: (any Error)?
}

/// How simple a tape is: groups first, then what the schedule chose, then all choices that are not zero, then
/// all choices, then the sizes of the values.
struct TapeComplexity: Comparable {
  var groups = 0
  /// Choices of the schedule that are not zero: switches of threads.
  var switches = 0
  var nonzero = 0
  var choices = 0
  /// The sum of the values, saturating.
  var sum: UInt64 = 0

  init(_ tape: [Choice]) {
    choices = tape.count
    for choice in tape {
      if choice.beginsGroup { groups += 1 }
      if choice.value != 0 {
        nonzero += 1
        if choice.isOfSchedule { switches += 1 }
      }
      let (total, overflow) = sum.addingReportingOverflow(choice.value)
      sum = overflow ? .max : total
    }
  }

  static func < (left: TapeComplexity, right: TapeComplexity) -> Bool {
    if left.groups != right.groups { return left.groups < right.groups }
    if left.switches != right.switches { return left.switches < right.switches }
    if left.nonzero != right.nonzero { return left.nonzero < right.nonzero }
    if left.choices != right.choices { return left.choices < right.choices }
    return left.sum < right.sum
  }
}
