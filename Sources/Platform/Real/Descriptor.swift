internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// An open file descriptor that is closed once, and never under a call that is using it: numbers
/// are reused at once, so a late write could land in somebody else's file.
///
/// Invariants:
/// - `state` is the number of calls in progress, plus `closing` once `close()` was called, plus
///   `closed` once the number was given back.
/// - The number is given back by whoever takes `state` from exactly `closing` to both bits.
final class Descriptor: Sendable {
  private static let closing: UInt64 = 1 << 63
  private static let closed: UInt64 = 1 << 62

  private let number: Int32
  // Not an AtomicWord: the real world is never a schedule point of a simulation.
  private let state = Atomic<UInt64>(0)

  init(_ number: Int32) { self.number = number }

  deinit { close() }

  /// Runs a call with the descriptor's number; it stays valid until the call returns.
  func use<Result>(
    _ operation: String, _ path: String,
    _ body: (Int32) throws(PlatformError) -> Result
  ) throws(PlatformError) -> Result {
    let before = state.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
    defer { finish() }
    if before & Self.closing != 0 {
      throw PlatformError(
        .invalidArgument, operation: operation, path: path, detail: "the file is closed")
    }
    return try body(number)
  }

  func close() {
    let before = state.bitwiseOr(Self.closing, ordering: .acquiringAndReleasing).oldValue
    if before == 0 { closeNumber() }
  }

  private func finish() {
    let after = state.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
    if after == Self.closing { closeNumber() }
  }

  /// Refused late calls pass through here too, so one caller claims the closing.
  private func closeNumber() {
    let claim = state.compareExchange(
      expected: Self.closing, desired: Self.closing | Self.closed,
      ordering: .acquiringAndReleasing)
    if claim.exchanged { closeNow() }
  }

  private func closeNow() {
    #if canImport(Glibc)
      _ = Glibc.close(number)
    #elseif canImport(Musl)
      _ = Musl.close(number)
    #elseif canImport(Darwin)
      _ = Darwin.close(number)
    #endif
  }
}
