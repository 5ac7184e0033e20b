public import EngineKit

/// Finds its own structure broken as soon as it holds ten entries.
final class BreaksInvariants: ForwardingEngine, @unchecked Sendable {
  override func checkInvariants() throws(EngineError) -> [String] {
    var findings = try base.checkInvariants()
    if try base.count(in: .default) >= 10 { findings.append("ten entries in a leaf of nine") }
    return findings
  }
}

extension WrongEngineFactory {
  public static func breaksInvariants(over base: any EngineFactory) -> Self {
    WrongEngineFactory(
      "breaks-invariants", over: base, convictedBy: ["structural-invariants"]
    ) { BreaksInvariants($0) }
  }
}
