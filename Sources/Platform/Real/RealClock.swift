#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The system's monotonic clock. It stands still while the machine sleeps, and never goes back.
public struct RealClock: Clock {
  public init() {}

  public func now() -> Instant {
    var time = timespec()
    // Fails only for a clock that does not exist.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
  }

  public func sleep(nanoseconds: UInt64) throws(PlatformError) {
    let end = now().nanoseconds.addingReportingOverflow(nanoseconds)
    let deadline = end.overflow ? UInt64.max : end.partialValue
    while true {
      let time = now().nanoseconds
      if time >= deadline { return }
      // A second at a time keeps the seconds in range whatever was asked for.
      Self.pause(nanoseconds: min(deadline - time, 1_000_000_000))
    }
  }

  /// Waits about so long; a signal may end it early.
  static func pause(nanoseconds: UInt64) {
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
  }
}
