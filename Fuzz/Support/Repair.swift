import Platform

@testable import Luge

/// Puts checksums right after bytes were changed, so that what is behind them is met. The places are those of the
/// byte tables, worked out here once more: whoever moves a checksum is told by the seeds, which are then refused.
enum Repair {
  static func superblock(_ bytes: inout [UInt8], at start: Int) {
    store(superblockSum(bytes, start), &bytes, at: start + 8)
  }

  static func isRight(superblock bytes: [UInt8]) -> Bool {
    load(bytes, at: 8) == superblockSum(bytes, 0)
  }

  private static func superblockSum(_ bytes: [UInt8], _ start: Int) -> UInt32 {
    sum(bytes, start..<start + 8, start + 12..<start + Superblock.copyBytes)
  }

  /// The header of a redo segment.
  static func redoHeader(_ bytes: inout [UInt8], at start: Int) {
    store(sum(bytes, start..<start + 12, start + 16..<start + 64), &bytes, at: start + 12)
  }

  /// The header of a page or value segment.
  static func pageHeader(_ bytes: inout [UInt8], at start: Int) {
    store(sum(bytes, start..<start + 12, start + 16..<start + 32), &bytes, at: start + 12)
  }

  /// A record of a page or value segment, whose length says the header itself. Nothing where that does not fit.
  static func record(_ bytes: inout [UInt8], at start: Int) {
    let end = start + PageFormat.recordHeaderBytes + Int(load(bytes, at: start + 4))
    if end > bytes.count { return }
    store(sum(bytes, start..<start + 8, start + 12..<end), &bytes, at: start + 8)
  }

  /// A piece of the redo stream, whose length it says itself. Nothing where that does not fit.
  static func piece(_ bytes: inout [UInt8], at start: Int, incarnation: UInt64) {
    let length = Int(load(bytes, at: start))
    let end = bytes[start + 16] == RedoKind.pad.rawValue ? RedoFormat.headerBytes : length
    if end < RedoFormat.headerBytes || start + end > bytes.count { return }
    let seed = RedoFormat.checksumSeed(incarnation: incarnation)
    store(sum(bytes, start..<start + 4, start + 8..<start + end, seed: seed), &bytes, at: start + 4)
  }

  static func load(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
    return value
  }

  private static func store(_ value: UInt32, _ bytes: inout [UInt8], at offset: Int) {
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
    }
  }

  private static func sum(
    _ bytes: [UInt8], _ first: Range<Int>, _ second: Range<Int>, seed: UInt32 = 0
  ) -> UInt32 {
    // Within the array, which this borrows; ranges are checked by the span.
    let span = unsafe bytes.span.bytes
    return crc32c(span.extracting(second), seed: crc32c(span.extracting(first), seed: seed))
  }
}
