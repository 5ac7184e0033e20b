public import EngineKit
internal import Platform

/// Counts ids from one again after each opening.
final class RepeatsIdentifiers: ForwardingEngine, @unchecked Sendable {
  private let next = AtomicWord(1)

  override func nextID() throws(EngineError) -> UInt64 { next.fetchAdd(1) }
}

extension WrongEngineFactory {
  public static func repeatsIdentifiers(over base: any EngineFactory) -> Self {
    WrongEngineFactory("repeats-identifiers", over: base, convictedBy: ["identifiers"]) {
      RepeatsIdentifiers($0)
    }
  }
}
