/// Where a record of a page segment lies: the segment's serial and the offset in its file. Zero is
/// no address. An address is never used twice, and is a multiple of 8.
struct PageAddress: Hashable, Sendable, Comparable {
  var rawValue: UInt64

  init(rawValue: UInt64) { self.rawValue = rawValue }

  init(serial: UInt64, offset: Int) {
    precondition(serial < 1 << 32 && offset >= 0 && offset < 1 << 32, "address out of range")
    rawValue = serial << 32 | UInt64(offset)
  }

  static let none = PageAddress(rawValue: 0)

  var serial: UInt64 { rawValue >> 32 }
  var offset: Int { Int(rawValue & 0xFFFF_FFFF) }

  static func < (left: PageAddress, right: PageAddress) -> Bool { left.rawValue < right.rawValue }
}

/// One record of a page segment, as whoever names it knows it: with its length a single read fetches
/// it, and its bytes can be counted without looking at it.
struct PagePart: Equatable, Sendable {
  var address: PageAddress
  /// Bytes of the payload.
  var length: Int

  /// The bytes that it takes in its segment.
  var bytes: Int { PageFormat.recordBytes(payload: length) }
}

/// Which of the two runs of segments a record is appended to. Records that are expected to live
/// equally long lie together, so that segments empty as a whole.
enum PageStream: Int, CaseIterable, Sendable {
  /// What checkpoints and evictions write.
  case hot = 0
  /// What the cleaner moves: it has outlived its neighbours already.
  case cold = 1
}

/// A record that was read and checked.
struct PageRecord: Sendable {
  /// The whole record, its header included.
  let bytes: [UInt8]
  let payloadCount: Int

  /// The payload, copied.
  var payload: [UInt8] {
    let start = PageFormat.recordHeaderBytes
    return Array(bytes[start..<start + payloadCount])
  }

  /// The payload in place, for the length of the call.
  @unsafe
  func withPayload<Result>(
    _ body: (UnsafeRawBufferPointer) throws(LugeError) -> Result
  ) throws(LugeError) -> Result {
    // The array outlives the call; `payloadCount` was checked against its length when it was read.
    unsafe try bytes.withUnsafeBufferPointer { (buffer) throws(LugeError) in
      let start = PageFormat.recordHeaderBytes
      return unsafe try body(
        UnsafeRawBufferPointer(
          rebasing: UnsafeRawBufferPointer(buffer)[start..<start + payloadCount]))
    }
  }
}
