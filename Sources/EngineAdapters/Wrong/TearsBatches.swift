public import EngineKit

/// Makes one half of a batch durable before it writes the other.
final class TearsBatches: ForwardingEngine, @unchecked Sendable {
  override func apply(_ batch: [BatchWrite]) throws(EngineError) {
    let half = batch.count / 2
    if half > 0 {
      try base.apply(Array(batch[..<half]))
      try base.flush()
    }
    try base.apply(Array(batch[half...]))
  }
}

extension WrongEngineFactory {
  public static func tearsBatches(over base: any EngineFactory) -> Self {
    WrongEngineFactory(
      "tears-batches", over: base,
      convictedBy: ["batch-atomicity", "conserved-total", "prefix-durability"]
    ) { TearsBatches($0) }
  }
}
