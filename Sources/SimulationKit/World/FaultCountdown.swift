/// Decides which of the calls that a fault could strike it does strike.
///
/// Not one draw a call, which would make long tapes of zeros, but one draw a strike: how many calls
/// further on the next one is. A drawn 0 says "never again", so an empty lane means no fault.
struct FaultCountdown {
  private let lane: ChoiceLane
  private let label: StaticString
  /// Once in so many calls on average.
  let oneIn: UInt64
  /// Calls up to and including the next strike; 0 for never, `undrawn` before the first call.
  private var callsLeft = FaultCountdown.undrawn
  private static let undrawn = UInt64.max

  init(lane: ChoiceLane, label: StaticString, oneIn: UInt64) {
    self.lane = lane
    self.label = label
    self.oneIn = min(oneIn, 1 << 40)
  }

  /// Counts one call; true when it is struck.
  mutating func strikes() -> Bool {
    if oneIn <= 1 { return oneIn == 1 }
    if callsLeft == FaultCountdown.undrawn { callsLeft = lane.draw(label, below: 2 * oneIn) }
    if callsLeft == 0 { return false }
    callsLeft -= 1
    if callsLeft > 0 { return false }
    callsLeft = FaultCountdown.undrawn
    return true
  }
}
