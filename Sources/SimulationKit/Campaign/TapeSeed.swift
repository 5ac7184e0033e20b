/// Where the seed of a tape comes from: the campaign's seed, the scenario's name and the tape's
/// number, and nothing else. So any tape of any campaign can be run alone, by any number of workers.
public enum TapeSeed {
  public static func seed(campaign: UInt64, scenario: String, index: Int) -> UInt64 {
    SeededDriver.derive(campaign, from: scenario, index: UInt64(truncatingIfNeeded: index))
  }
}
