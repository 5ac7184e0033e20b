internal import CPlatform
internal import Platform

/// What a run did, in 128 bits: a rolling hash over its events, and their number. Two runs of one
/// tape have the same one, in debug and in release, on any machine.
public struct TraceHash: Hashable, Sendable, CustomStringConvertible {
  public private(set) var low: UInt64 = 0
  public private(set) var high: UInt64 = 0
  /// The number of events.
  public private(set) var events: UInt64 = 0

  public init() {}

  /// Adds one event: the hash of its name, who did it, and three words.
  mutating func add(name: UInt64, thread: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) {
    var state = platform_hash128(low: low, high: high)
    state = platform_hash128_word(state, name &+ thread &* 0x9E37_79B9_7F4A_7C15)
    state = platform_hash128_word(state, a)
    state = platform_hash128_word(state, b)
    state = platform_hash128_word(state, c)
    low = state.low
    high = state.high
    events &+= 1
  }

  /// Folds the hash of another run in, for a hash over a campaign. The order matters.
  public mutating func fold(_ other: TraceHash) {
    var state = platform_hash128(low: low, high: high)
    state = platform_hash128_word(state, other.low)
    state = platform_hash128_word(state, other.high)
    state = platform_hash128_word(state, other.events)
    low = state.low
    high = state.high
    events &+= other.events
  }

  /// 32 hexadecimal digits.
  public var description: String { Hash128(low: low, high: high).description }
}
