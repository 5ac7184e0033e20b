/// Answers from a seed. Every lane has a generator of its own, seeded from the seed and the lane's
/// full name: more draws in one lane (a longer schedule) leave the answers of the others alone.
///
/// Safe: the generators' memory never leaves this class, and `next` looks at no place above `count`.
@safe
public final class SeededDriver: ChoiceDriver {
  public let seed: UInt64
  /// By the lanes' ordinals; nil where the lane has not drawn yet.
  private var generators: UnsafeMutablePointer<Xoshiro256?>
  private var count = 32

  public init(seed: UInt64) {
    self.seed = seed
    unsafe generators = .allocate(capacity: 32)
    unsafe generators.initialize(repeating: nil, count: 32)
  }

  // Generators are plain values: nothing to deinitialize.
  deinit { unsafe generators.deallocate() }

  public func next(lane: ChoiceLane, label: StaticString, bound: UInt64) -> UInt64 {
    let ordinal = lane.ordinal
    if ordinal >= count { grow(to: ordinal + 1) }
    let place = unsafe generators + ordinal
    if unsafe place.pointee == nil {
      unsafe place.pointee = Xoshiro256(seed: SeededDriver.derive(seed, from: lane.fullName))
    }
    return unsafe place.pointee!.next(below: bound)
  }

  private func grow(to least: Int) {
    let larger = max(least, count * 2)
    let memory = UnsafeMutablePointer<Xoshiro256?>.allocate(capacity: larger)
    unsafe memory.moveInitialize(from: generators, count: count)
    unsafe (memory + count).initialize(repeating: nil, count: larger - count)
    unsafe generators.deallocate()
    unsafe generators = memory
    count = larger
  }

  /// A seed that depends on every bit of `seed` and every byte of `name` and on nothing else: for
  /// lanes here, for tapes of a campaign elsewhere.
  public static func derive(_ seed: UInt64, from name: String, index: UInt64 = 0) -> UInt64 {
    // FNV-1a over the name, then SplitMix64's output function between the parts.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    let mixed = SplitMix64.mix(hash &+ SplitMix64.mix(seed &+ 0x9E37_79B9_7F4A_7C15))
    return SplitMix64.mix(mixed &+ SplitMix64.mix(index &+ 0xD1B5_4A32_D192_ED03))
  }
}
