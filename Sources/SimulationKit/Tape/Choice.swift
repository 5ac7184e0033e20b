/// One thing that could have gone either way: a bounded integer with a label.
///
/// Zero is by convention the simplest answer (no fault, no switch, the first key, keep the write):
/// a tape that has run out answers zero, and the shrinker works towards it.
public struct Choice: Hashable, Sendable {
  /// The lane that it was drawn in, as "client.2" or "disk"; see `ChoiceTape`.
  public var lane: String
  /// What was chosen, as "kind" or "key".
  public var label: String
  /// The choice is one of `0..<bound`.
  public var bound: UInt64
  public var value: UInt64
  /// The first choice of a group: a unit (one operation, one crash) that the shrinker removes whole.
  public var beginsGroup: Bool

  /// Drawn by the one who decides which thread runs.
  var isOfSchedule: Bool { lane == "schedule" || lane.hasPrefix("schedule.") }

  public init(
    lane: String, label: String, bound: UInt64, value: UInt64, beginsGroup: Bool = false
  ) {
    self.lane = lane
    self.label = label
    self.bound = bound
    self.value = value
    self.beginsGroup = beginsGroup
  }
}
