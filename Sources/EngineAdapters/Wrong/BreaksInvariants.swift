public import EngineKit

/// Finds its own structure broken as soon as it holds five entries.
final class BreaksInvariants: ForwardingEngine, @unchecked Sendable {
  override func checkInvariants() throws(EngineError) -> [String] {
    var findings = try base.checkInvariants()
    if try base.count(in: .default) >= 5 { findings.append("five entries in a leaf of four") }
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
