public import EngineKit

/// One operation that a client asked for: made when it is invoked, handed back when it returns.
public final class Call: Sendable {
  /// 0, 1, 2 ... in the order of invocation, over the whole history.
  public let number: Int
  /// Who asked. A client has one call under way at a time.
  public let client: Int
  public let operation: Operation
  /// Which life of the process it was made in; 0 is the first.
  public let incarnation: Int
  /// The place of the invocation in the order of all events. Exact, where steps may be equal.
  public let invokedAt: Int
  /// The caller's step counter at the invocation.
  public let invokedStep: Int

  init(
    number: Int, client: Int, operation: Operation, incarnation: Int, invokedAt: Int,
    invokedStep: Int
  ) {
    self.number = number
    self.client = client
    self.operation = operation
    self.incarnation = incarnation
    self.invokedAt = invokedAt
    self.invokedStep = invokedStep
  }
}
