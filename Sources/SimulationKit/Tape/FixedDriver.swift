/// Answers one draw with a fixed value, and leaves the others to another driver. So what a command line
/// asks for is recorded on the tape like any other choice.
public final class FixedDriver: ChoiceDriver {
  private let base: any ChoiceDriver
  private let label: String
  private let value: UInt64
  private var isDone = false

  /// The first draw labelled `label` answers `value`.
  public init(_ base: any ChoiceDriver, label: String, value: UInt64) {
    self.base = base
    self.label = label
    self.value = value
  }

  public func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    if !isDone && label.description == self.label {
      isDone = true
      return value
    }
    return base.next(lane: lane, label: label, bound: bound)
  }
}
