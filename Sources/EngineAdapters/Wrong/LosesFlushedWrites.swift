public import EngineKit

/// Says that a flush is done, and does nothing.
final class LosesFlushedWrites: ForwardingEngine, @unchecked Sendable {
  override func flush() throws(EngineError) {}
  override func checkpoint() throws(EngineError) {}
}

extension WrongEngineFactory {
  public static func losesFlushedWrites(over base: any EngineFactory) -> Self {
    WrongEngineFactory("loses-flushed-writes", over: base, convictedBy: ["durability"]) {
      LosesFlushedWrites($0)
    }
  }
}
