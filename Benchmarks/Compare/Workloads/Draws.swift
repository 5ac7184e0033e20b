/// Indices by a generator of its own, the same on every run with the same seed, made as they are needed:
/// a list of them would take cache and memory from the engine.
struct Draws {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  @inline(__always)
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Item.mix(state)
  }

  @inline(__always)
  mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }
}

extension Step {
  /// The generator of one thread.
  func draws(_ thread: Int) -> Draws {
    Draws(seed: Item.mix(seed &+ UInt64(serial * 64 + thread)))
  }

  /// The place of each index in an order that is not that of loading: steps of a prime go through all.
  func permuted(_ place: Int) -> Int {
    let step = entries % 7_368_787 == 0 ? 1 : 7_368_787
    return Int((UInt64(place) * UInt64(step)) % UInt64(entries))
  }

  /// How many operations a thread does.
  func share(_ thread: Int) -> Int {
    let all =
      operations
      ?? (action == .range ? max(entries / Step.rangeLength, 1) : entries)
    return all / threads + (thread < all % threads ? 1 : 0)
  }

  /// Indices by Zipf's law are drawn before the time is taken: each takes two powers.
  func popular(_ thread: Int) -> [UInt32] {
    guard isZipfian else { return [] }
    var random = draws(thread)
    let zipfian = Zipfian(count: entries)
    return (0..<share(thread)).map { _ in
      // The popular ranks are spread over all keys.
      let unit = Double(random.next() >> 11) * 0x1p-53
      return UInt32(Item.mix(UInt64(zipfian.rank(unit))) % UInt64(entries))
    }
  }
}
