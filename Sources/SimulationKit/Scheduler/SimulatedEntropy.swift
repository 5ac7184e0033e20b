public import Platform

/// Random bits that the tape decides by one draw: a seed. No two numbers of a simulation are alike,
/// whatever the shrinker does to that draw, so that what engines make of them stays unique.
public final class SimulatedEntropy: Entropy, @unchecked Sendable {
  // Unchecked: a simulation and all that belongs to it live on one operating-system thread.
  private let lane: ChoiceLane
  private var generator: SplitMix64?

  init(tape: ChoiceTape) { lane = tape.lane("entropy") }

  public func next() -> UInt64 {
    var generator = self.generator ?? SplitMix64(seed: lane.draw("seed", below: .max))
    let bits = generator.next()
    self.generator = generator
    return bits
  }
}
