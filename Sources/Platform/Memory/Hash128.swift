public import CPlatform

/// A 128-bit rolling hash for traces and comparisons: the same values in the same order give the
/// same hash in every process, build and machine. Not for adversaries.
@frozen
public struct Hash128: Hashable, Sendable, CustomStringConvertible {
  public var low: UInt64
  public var high: UInt64

  @inlinable
  public init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }

  /// Adds one word.
  @inlinable @inline(__always)
  public mutating func combine(_ word: UInt64) {
    let next = platform_hash128_word(platform_hash128(low: low, high: high), word)
    low = next.low
    high = next.high
  }

  /// Adds a byte string and its length.
  @inlinable
  public mutating func combine(_ bytes: RawSpan) {
    let state = platform_hash128(low: low, high: high)
    // The callee reads exactly the buffer and keeps nothing.
    let next = unsafe bytes.withUnsafeBytes {
      unsafe platform_hash128_bytes(state, $0.baseAddress, $0.count)
    }
    low = next.low
    high = next.high
  }

  /// Adds a byte string and its length.
  @inlinable
  public mutating func combine(_ bytes: [UInt8]) {
    // Every byte of a UInt8 is initialised, so its raw view is sound.
    unsafe combine(bytes.span.bytes)
  }

  /// Adds the UTF-8 of a string and its length.
  public mutating func combine(_ text: String) { combine(Array(text.utf8)) }

  /// Thirty-two hexadecimal digits, the high half first.
  public var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
