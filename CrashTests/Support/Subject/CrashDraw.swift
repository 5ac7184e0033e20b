internal import SimulationKit

/// Numbers that follow from a seed and a few others, and from nothing else: the child draws an operation, and the
/// supervisor draws the same one.
public struct CrashDraw: Sendable {
  private var generator: SplitMix64

  public init(_ seed: UInt64, _ path: UInt64...) {
    var state = Payload.scramble(seed)
    for word in path { state = Payload.scramble(state ^ Payload.scramble(word)) }
    generator = SplitMix64(seed: state)
  }

  /// A number in `0..<bound`; `bound` is at least 1.
  public mutating func below(_ bound: Int) -> Int {
    Int(UInt64(bound).multipliedFullWidth(by: generator.next()).high)
  }

  /// True once in so many.
  public mutating func oneIn(_ bound: Int) -> Bool { below(max(1, bound)) == 0 }

  /// As many of each magnitude, from `least` to `most`.
  public mutating func magnitude(_ least: Int, _ most: Int) -> Int {
    var steps = 0
    while least << (steps + 1) <= most { steps += 1 }
    let base = least << below(steps + 1)
    return min(most, base + below(base))
  }

  /// In thousandths of a whole.
  mutating func thousandths() -> Int { below(1000) }
}
