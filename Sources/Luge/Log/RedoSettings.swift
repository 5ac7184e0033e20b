/// Sizes of the redo log. `segmentPayload` is fixed at creation of a database; the others may
/// differ from one opening to the next.
struct RedoSettings: Equatable, Sendable {
  /// Memory of the ring in bytes: a power of two, at least 16 KiB.
  var ringBytes = 16 << 20
  /// Bytes of the stream in one segment file: a multiple of 4096.
  var segmentPayload = 16 << 20
  /// The most threads that may write at once.
  var maximumThreads = 128
  /// A piece up to this size needs no credits.
  var largestOrdinaryPiece = 8 << 10
  /// Free segments kept for recycling; more are removed.
  var spareSegments = 2
  /// Free segments kept in all while there is space: what is given back only to be made anew costs
  /// twice what is logged. They go when nothing is written any more.
  var keptSegments = 32

  init() {}

  /// Reservations that one admission of an ordinary piece entitles to.
  static let reservationsAnAdmission = 4

  /// Room that every admitted thread may still use after the check that admitted it.
  var slack: UInt64 {
    UInt64(maximumThreads) * UInt64(Self.reservationsAnAdmission) * UInt64(largestOrdinaryPiece)
  }

  /// Bytes not yet durable from which the background thread is asked to flush: a part of what
  /// writers may fill before they must wait.
  var flushedAhead: UInt64 { (UInt64(ringBytes) - slack) / 4 }

  /// What a flush itself reserves: two blocks of padding at most, and a header; and the one record of
  /// identifiers that a thread may reserve beside what it was admitted for.
  static let flushReserve = UInt64(3 * RedoFormat.blockBytes + 64)

  /// The largest piece that can ever be admitted, in bytes.
  var largestPiece: Int {
    // An idle log has the next group's header reserved.
    let idle = Int64(RedoFormat.groupBytes)
    let room = Int64(ringBytes) - Int64(slack) - Int64(Self.flushReserve) - idle
    return max(largestOrdinaryPiece, Int(room / Int64(RedoLog.reservationsOfLargePiece)) & ~7)
  }

  /// Throws `.invalidArgument` for sizes that do not fit together.
  func validate() throws(LugeError) {
    let block = RedoFormat.blockBytes
    guard ringBytes >= 4 * block, ringBytes & (ringBytes - 1) == 0, ringBytes <= 1 << 36 else {
      throw LugeError(
        .invalidArgument, "the redo ring must be a power of two of at least \(4 * block) bytes",
        found: "\(ringBytes)")
    }
    guard segmentPayload >= block, segmentPayload % block == 0, segmentPayload <= 1 << 36 else {
      throw LugeError(
        .invalidArgument, "a redo segment must be a multiple of \(block) bytes",
        found: "\(segmentPayload)")
    }
    guard maximumThreads >= 1, maximumThreads <= 1024, largestOrdinaryPiece >= 64,
      largestOrdinaryPiece <= 1 << 30, spareSegments >= 0
    else {
      throw LugeError(
        .invalidArgument, "redo settings out of range",
        found: "\(maximumThreads) threads, pieces of \(largestOrdinaryPiece) bytes")
    }
    guard slack + Self.flushReserve + UInt64(largestOrdinaryPiece) <= UInt64(ringBytes) else {
      throw LugeError(
        .invalidArgument, "the redo ring is too small for its threads and pieces",
        expected: "above \(slack + Self.flushReserve) bytes", found: "\(ringBytes)")
    }
  }
}
