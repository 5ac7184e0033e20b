extension Superblock {
  /// No position, serial, sequence or id that an engine wrote comes near this: counting on from one
  /// below it never overflows.
  static let largestCounter: UInt64 = 1 << 62

  /// What no engine would have written, in words; nil when all is in range. A right checksum does
  /// not vouch for that, and sums are made with these numbers.
  var violation: String? {
    let block = UInt64(RedoFormat.blockBytes)
    let counters: [(name: String, value: UInt64)] = [
      ("sequence", sequence), ("recovery LSN", recoveryLSN), ("durable LSN", durableLSN),
      ("incarnation", incarnation), ("next tree id", nextTreeID), ("ids reserved", idsReserved),
    ]
    for (name, value) in counters where value > Self.largestCounter {
      return "\(name) \(value)"
    }
    if redoSegmentPayload < block || redoSegmentPayload > 1 << 36 || redoSegmentPayload % block != 0
    {
      return "redo segments of \(redoSegmentPayload) bytes"
    }
    if pageSegmentBytes < 2 * block || pageSegmentBytes > 1 << 31 {
      return "page segments of \(pageSegmentBytes) bytes"
    }
    if valueSegmentBytes < 2 * block || valueSegmentBytes > 1 << 31 {
      return "value segments of \(valueSegmentBytes) bytes"
    }
    if nextValueSerial > 1 << 32 { return "next value serial \(nextValueSerial)" }
    if recoveryLSN < block { return "recovery LSN \(recoveryLSN)" }
    if nextPageSerial > 1 << 32 { return "next page serial \(nextPageSerial)" }
    return nil
  }
}
