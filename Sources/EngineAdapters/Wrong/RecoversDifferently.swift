public import EngineKit

/// Loses the last key of the default tree at each opening that finds more than two.
final class RecoversDifferently: ForwardingEngine, @unchecked Sendable {
  override init(_ base: any KeyValueEngine) { super.init(base) }

  func forget() throws(EngineError) {
    let last = try base.scan(.all, .backward, limit: 3, in: .default)
    if last.count == 3 {
      _ = try base.remove(last[0].key, in: .default)
      try base.flush()
    }
  }
}

extension WrongEngineFactory {
  public static func recoversDifferently(over base: any EngineFactory) -> Self {
    WrongEngineFactory(
      "recovers-differently", over: base, convictedBy: ["recovery-idempotence", "durability"]
    ) { base throws(EngineError) in
      let engine = RecoversDifferently(base)
      try engine.forget()
      return engine
    }
  }
}
