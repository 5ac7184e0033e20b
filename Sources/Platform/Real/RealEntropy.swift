internal import CPlatform

/// The system's random bits.
public struct RealEntropy: Entropy {
  public init() {}

  public func next() -> UInt64 {
    var word: UInt64 = 0
    let found = unsafe platform_random(&word)
    precondition(found, "the system has no random bits to give")
    return word
  }
}
