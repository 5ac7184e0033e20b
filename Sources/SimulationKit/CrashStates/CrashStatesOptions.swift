/// What is asked of a look at crash states.
public struct CrashStatesOptions: Equatable, Sendable {
  /// 2: the recovery from each distinct image is crashed too.
  public var depth: Int
  /// Samples are drawn from it.
  public var seed: UInt64
  /// The most states of one moment; the rest is left out evenly, and counted. Nil: all.
  public var statesOfMoment: Int?
  /// The most moments with states other than nothing and all of the unsynced, spread evenly. Nil:
  /// all.
  public var moments: Int?
  /// With depth 2, the most images whose recovery is crashed. Nil: all.
  public var imagesCrashed: Int?
  /// Only this state, as a finding names it.
  public var only: String?

  public init(depth: Int = 1, seed: UInt64 = 1) {
    self.depth = depth
    self.seed = seed
  }
}
