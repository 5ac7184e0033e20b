public import CPlatform

/// CRC-32C (Castagnoli) of a run of bytes, as in RFC 3720: "123456789" gives 0xE3069283.
///
/// To sum several pieces, pass the sum so far as `seed`. Runs on the processor's checksum
/// instructions where it has them (about 40 bytes a nanosecond on x86-64), else on tables.
@inlinable
public func crc32c(_ bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
  // The callee reads exactly the buffer and keeps nothing.
  unsafe bytes.withUnsafeBytes { unsafe crc32c($0, seed: seed) }
}

/// The same over memory that the caller vouches for.
@inlinable
@unsafe
public func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
  unsafe platform_crc32c(seed, bytes.baseAddress, bytes.count)
}

/// The sum of a run without its bytes 4 to 7: where a record keeps its own sum.
///
/// - Precondition: at least 8 bytes.
@inlinable @inline(__always)
@unsafe
public func crc32cAroundItself(
  _ base: UnsafeRawPointer, count: Int, seed: UInt32
) -> UInt32 {
  unsafe platform_crc32c_around(seed, base, count)
}
