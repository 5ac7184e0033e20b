/// Blackman and Vigna's xoshiro256**, seeded through SplitMix64.
public struct Xoshiro256: RandomNumberGenerator, Sendable {
  private var s0: UInt64
  private var s1: UInt64
  private var s2: UInt64
  private var s3: UInt64

  public init(seed: UInt64) {
    var seeds = SplitMix64(seed: seed)
    s0 = seeds.next()
    s1 = seeds.next()
    s2 = seeds.next()
    s3 = seeds.next()
  }

  public mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = ((product &<< 7) | (product &>> 57)) &* 9
    let shifted = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 &<< 45) | (s3 &>> 19)
    return result
  }

  /// A number in `0..<bound` by multiplication: the bias is below bound / 2^64, and each draw takes
  /// exactly one output, whatever the bound.
  public mutating func next(below bound: UInt64) -> UInt64 {
    bound.multipliedFullWidth(by: next()).high
  }
}
