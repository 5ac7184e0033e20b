public import EngineKit
public import Platform

/// What the simulated disk, clock and threads ask of the simulation at each of their calls. The
/// simulation implements it over tape, scheduler and trace; tests of one part bring a small one.
public protocol SeamGate: AnyObject {
  /// Enters a seam call: may switch threads, and may end the process here. Throws `.killed` when the
  /// calling simulated process is dead or dies now; then nothing may be changed on its behalf.
  func enter(_ call: StaticString) throws(PlatformError)

  /// Draws whether a fault of this class strikes here, and counts it when it does. Always false for
  /// classes that are switched off in this run, without a draw.
  func strikes(_ fault: FaultClass) -> Bool

  /// A further choice in the disk's lane, as where a write is cut. Zero is the simplest.
  func draw(_ label: StaticString, below bound: UInt64) -> UInt64

  /// Counts a fault that was decided elsewhere than in `strikes`, as a sector torn at a power loss.
  func count(_ fault: FaultClass)

  /// Lets virtual time pass for the calling thread.
  func delay(nanoseconds: UInt64) throws(PlatformError)

  /// Adds an event to the trace hash: the call, where, and what came of it.
  func record(_ event: StaticString, _ a: UInt64, _ b: UInt64, _ c: UInt64)

  /// Whether events of reads and writes say what the bytes were. Who looks at no trace saves a tenth of a tape's time.
  var tracesBytes: Bool { get }
}

extension SeamGate {
  public var tracesBytes: Bool { true }
}
