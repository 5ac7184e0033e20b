/// Where the answers of a `ChoiceTape` come from: a seed, a saved tape, an exhaustive count, or a
/// fuzzer's bytes. A driver serves one tape; the lanes that it meets have dense ordinals.
public protocol ChoiceDriver: AnyObject {
  /// Answers a number in `0..<bound`. `bound` is at least 2.
  func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64
}
