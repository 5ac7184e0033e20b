internal import EngineKit

/// The engine's own invariants hold whenever it is asked.
///
/// Sound: the engine itself says what is broken.
public final class StructuralInvariants: Checker {
  public let property = "structural-invariants"

  public init() {}

  public func observe(_ event: HistoryEvent, in context: JudgeContext) {
    guard case .inspected(let findings) = event, !findings.isEmpty else { return }
    if context.isBeyondContract { return }
    context.report(property, findings.prefix(3).joined(separator: "; "))
  }
}

extension CheckerPlan {
  public static let structuralInvariants = CheckerPlan(
    "structural-invariants", "The engine's own invariants hold."
  ) { StructuralInvariants() }
}
