/// Enumerates every tape of bounded depth, the all-zero tape first, in lexicographic order of the
/// draws: run, `advance()`, run again, until `advance()` answers false.
///
/// Only the first `depth` draws are varied; later ones answer 0. Of each draw only the values below
/// `widest` are tried.
public final class OdometerDriver: ChoiceDriver {
  private struct Digit {
    var value: UInt64
    var bound: UInt64
  }

  private let depth: Int
  private let widest: UInt64
  private var digits: [Digit] = []
  private var position = 0

  public init(depth: Int, widest: UInt64 = .max) {
    self.depth = depth
    self.widest = max(1, widest)
  }

  public func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    if position >= depth { return 0 }
    let tried = min(bound, widest)
    if position == digits.count { digits.append(Digit(value: 0, bound: tried)) }
    // The same prefix of answers leads to the same draw, if the run depends on the tape alone.
    digits[position].bound = tried
    let value = min(digits[position].value, tried - 1)
    digits[position].value = value
    position += 1
    return value
  }

  /// Turns to the next tape; false when all have been run. Draws that the last run did not reach
  /// are not counted through.
  public func advance() -> Bool {
    digits.removeLast(digits.count - position)
    position = 0
    while let last = digits.last {
      if last.value + 1 < last.bound {
        digits[digits.count - 1].value += 1
        return true
      }
      digits.removeLast()
    }
    return false
  }
}
