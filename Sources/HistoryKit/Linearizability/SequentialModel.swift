/// What an object does when one client at a time uses it: what a concurrent history is held against.
///
/// An action is an operation together with the answer that it got, or without one where its outcome
/// is unknown.
public protocol SequentialModel: Sendable {
  associatedtype State: Hashable
  associatedtype Action

  /// The state after the action, or nil where it could not have answered so in this state.
  func apply(_ action: Action, to state: State) -> State?

  /// Whether the action leaves every state as it was in which it could have happened. When in doubt, false.
  func changesNothing(_ action: Action) -> Bool

  /// Whether the two can be told apart by nothing but who made them and when: in each state both could have
  /// happened, or neither, and both lead to the same state. When in doubt, false.
  func areAlike(_ one: Action, _ other: Action) -> Bool

  /// Whether the action could have happened in every state, and leads to the same one from each: a write of
  /// everything there is, which looked at nothing. When in doubt, false.
  func overwrites(_ action: Action) -> Bool
}

extension SequentialModel {
  @inlinable public func changesNothing(_ action: Action) -> Bool { false }
  @inlinable public func areAlike(_ one: Action, _ other: Action) -> Bool { false }
  @inlinable public func overwrites(_ action: Action) -> Bool { false }
}

/// One call of a concurrent history. Times are places in the order of all events: no two are equal.
public struct TimedAction<Action> {
  public var action: Action
  public var invoked: Int
  /// `.max`: it did not return. Such a call may take effect at any time after its invocation, or never.
  public var returned: Int

  public init(_ action: Action, invoked: Int, returned: Int) {
    self.action = action
    self.invoked = invoked
    self.returned = returned
  }

  /// Whether it may be left out of the order.
  @inlinable public var isOptional: Bool { returned == .max }
}

extension TimedAction: Sendable where Action: Sendable {}
