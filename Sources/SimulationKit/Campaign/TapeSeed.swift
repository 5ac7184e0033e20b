/// Where the seed of a tape comes from: the campaign's seed, the scenario's name and the tape's number, and nothing
/// else. So any tape of any campaign can be run alone, by any number of workers.
public enum TapeSeed {
  public static func seed(campaign: UInt64, scenario: String, index: Int) -> UInt64 {
    // FNV-1a over the name, then two scrambled steps.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in scenario.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return Payload.scramble(
      Payload.scramble(hash ^ campaign) ^ UInt64(truncatingIfNeeded: index))
  }
}
