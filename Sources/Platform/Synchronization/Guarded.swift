internal import Synchronization

/// A value that one thread at a time may touch, for state that is held for a few instructions or one system
/// call, outside the engine: in a simulation nothing in `body` may be a point where threads switch.
public final class Guarded<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  public init(_ value: Value) { self.value = Mutex(value) }

  /// Runs `body` alone. It must not come back here.
  public func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
    value.withLock { body(&$0) }
  }
}
