/// Time that only goes forward, and waiting for it.
public protocol Clock: Sendable {
  func now() -> Instant
  /// Waits at least `nanoseconds`. Throws only `.killed`.
  func sleep(nanoseconds: UInt64) throws(PlatformError)
}

/// A point of monotonic time, in nanoseconds since an arbitrary start.
public struct Instant: Hashable, Comparable, Sendable {
  public var nanoseconds: UInt64
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
  public static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public func advanced(byNanoseconds count: UInt64) -> Instant {
    Instant(nanoseconds: nanoseconds &+ count)
  }
}
