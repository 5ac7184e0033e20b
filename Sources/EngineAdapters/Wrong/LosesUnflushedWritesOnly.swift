public import EngineKit

/// A control, not wrong at all: it makes nothing durable but at a flush, so that a crash loses all
/// that the contract lets it lose. Nothing may convict it.
final class LosesUnflushedWritesOnly: ForwardingEngine, @unchecked Sendable {
  override func performBackgroundWork() throws(EngineError) {}
}

extension WrongEngineFactory {
  public static func losesUnflushedWritesOnly(over base: any EngineFactory) -> Self {
    WrongEngineFactory("loses-unflushed-writes-only", over: base, convictedBy: []) {
      LosesUnflushedWritesOnly($0)
    }
  }
}
