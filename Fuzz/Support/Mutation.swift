/// What a structure-aware mutation draws from, and libFuzzer's own mutations for the parts that have no structure.
struct Mutation {
  private var state: UInt64
  /// Bytes that the input may have.
  let most: Int
  /// Changes bytes in one of libFuzzer's ways; the result has at most so many.
  let plainly: (_ bytes: [UInt8], _ most: Int) -> [UInt8]

  init(
    seed: UInt64, most: Int,
    plainly: @escaping (_ bytes: [UInt8], _ most: Int) -> [UInt8]
  ) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    self.most = most
    self.plainly = plainly
  }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count { bytes.append(UInt8(truncatingIfNeeded: next())) }
    return bytes
  }
}
