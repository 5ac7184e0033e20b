/// A named stream of choices within a tape, as "client.2", "schedule" or "disk".
public final class ChoiceLane: @unchecked Sendable {
  // Unchecked: simulated threads, which share it, share one operating-system thread.

  public let name: StaticString
  public let index: Int
  /// `name` for index 0, else `name.index`.
  public let fullName: String
  /// The place of this lane among those of its tape, in order of their making: dense, from 0, for
  /// drivers to keep their state by.
  public let ordinal: Int

  private let driver: any ChoiceDriver
  private let recording: ChoiceRecording
  private var groupIsDue = false

  init(
    name: StaticString, index: Int, fullName: String, ordinal: Int, driver: any ChoiceDriver,
    recording: ChoiceRecording
  ) {
    precondition(ordinal <= Int(UInt16.max), "a tape has at most 65536 lanes")
    self.name = name
    self.index = index
    self.fullName = fullName
    self.ordinal = ordinal
    self.driver = driver
    self.recording = recording
  }

  static func fullName(_ name: StaticString, _ index: Int) -> String {
    index == 0 ? name.description : "\(name).\(index)"
  }

  /// Draws a number in `0..<bound`, and records it. A bound of 0 or 1 leaves nothing to draw: 0.
  public func draw(_ label: StaticString, below bound: UInt64) -> UInt64 {
    if bound <= 1 { return 0 }
    var value = driver.next(lane: self, label: label, bound: bound)
    // A driver that answers out of range is brought into it: saved tapes are edited by hand.
    if value >= bound { value %= bound }
    recording.append(
      ChoiceRecording.Entry(
        label: label, beginsGroup: groupIsDue, lane: UInt16(truncatingIfNeeded: ordinal),
        bound: bound, value: value))
    groupIsDue = false
    return value
  }

  /// True once in `n` draws. False is the simplest answer. `n` of 0 is never, 1 is always; neither
  /// draws.
  public func chance(_ label: StaticString, oneIn n: UInt64) -> Bool {
    if n <= 1 { return n == 1 }
    return draw(label, below: n) == n &- 1
  }

  /// The next choice recorded in this lane begins a group: a unit that the shrinker removes whole.
  public func beginGroup() { groupIsDue = true }
}
