/// Watches a history event by event, and says when it breaks one property.
///
/// A checker must be *sound*: it reports only what no right engine could have done. Each says at
/// its head why it is. It keeps bounded memory over any number of crashes.
public protocol Checker: AnyObject {
  /// The property that it checks, as "durability".
  var property: String { get }

  /// Called for every event, in order. Violations go to `context.report`.
  func observe(_ event: HistoryEvent, in context: JudgeContext)
}

/// A property that was broken.
public struct Violation: Equatable, Sendable, CustomStringConvertible {
  /// The checker's property, as "durability".
  public var property: String
  /// What was seen, and what should have been.
  public var detail: String
  /// The caller's step counter when it was found.
  public var step: Int

  public init(property: String, detail: String, step: Int) {
    self.property = property
    self.detail = detail
    self.step = step
  }

  public var description: String { "\(property): \(detail) at step \(step)" }
}
