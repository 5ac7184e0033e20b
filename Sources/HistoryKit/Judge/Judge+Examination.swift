internal import EngineKit

extension Judge {
  /// What would be wrong if the process had crashed now and `state` had been recovered. Nothing is
  /// taken as having happened: so one history can be held against many crashes at each of its
  /// moments.
  ///
  /// Asks the checkers that judge a recovery by what was written before: durability, prefix
  /// durability, batch atomicity. O(writes since the last recovery + entries).
  public func examine(_ state: RecoveredState) -> [Violation] {
    context.examining { context in
      for checker in Judge.examiners { checker.make().observe(.recovered(state), in: context) }
    }
  }

  /// Their `observe` of a recovery keeps nothing.
  private static let examiners: [CheckerPlan] = [.durability, .prefixDurability, .batchAtomicity]
}

extension JudgeContext {
  /// The violations that `body` reports; those known before stay as they are.
  func examining(_ body: (JudgeContext) -> Void) -> [Violation] {
    let known = violations
    let count = violationCount
    violations = []
    body(self)
    let found = violations
    violations = known
    violationCount = count
    return found
  }
}
