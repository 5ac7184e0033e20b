/// The fixed circumstances of a simulation: part of what a tape means, so equal for all its runs.
public struct SimulationOptions: Equatable, Sendable {
  /// Virtual nanoseconds that each seam call takes.
  public var callDuration: UInt64
  /// Seam calls after which a process that has not ended counts as getting nowhere.
  public var callLimit: UInt64
  /// Bytes of stack for each simulated thread.
  public var stackSize: Int
  /// Keep every event, to compare two runs; else only the last ones.
  public var keepsAllEvents: Bool
  /// Events in the black box where not all are kept.
  public var lastEvents: Int
  /// Events of reads and writes have a hash of the bytes.
  public var tracesBytes = true

  /// Where each access to shared memory is a call, pages that come and go take many.
  #if SchedulePoints
    public static let ordinaryCallLimit: UInt64 = 20_000_000
  #else
    public static let ordinaryCallLimit: UInt64 = 2_000_000
  #endif

  public init(
    callDuration: UInt64 = 10_000, callLimit: UInt64 = ordinaryCallLimit,
    stackSize: Int = 512 << 10,
    keepsAllEvents: Bool = false, lastEvents: Int = 128
  ) {
    self.callDuration = callDuration
    self.callLimit = callLimit
    self.stackSize = stackSize
    self.keepsAllEvents = keepsAllEvents
    self.lastEvents = lastEvents
  }
}
