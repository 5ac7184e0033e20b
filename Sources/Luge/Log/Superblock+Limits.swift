extension Superblock {
  /// No position, serial, sequence or id that an engine wrote comes near this: counting on from one
  /// below it never overflows.
  static let largestCounter: UInt64 = 1 << 62

  /// Of the newest era.
  var incarnation: UInt64 { eras.last?.incarnation ?? 0 }

  /// What no engine would have written, in words; nil when all is in range. A right checksum does
  /// not vouch for that, and sums are made with these numbers.
  var violation: String? {
    let block = UInt64(RedoFormat.blockBytes)
    let counters: [(name: String, value: UInt64)] = [
      ("sequence", sequence), ("recovery LSN", recoveryLSN), ("durable LSN", durableLSN),
      ("next tree id", nextTreeID), ("ids reserved", idsReserved),
    ]
    for (name, value) in counters where value > Self.largestCounter {
      return "\(name) \(value)"
    }
    if let violation = violationOfEras { return violation }
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
    if durableLSN % block != 0 { return "durable LSN \(durableLSN)" }
    if recoveryLSN < block { return "recovery LSN \(recoveryLSN)" }
    if nextPageSerial > 1 << 32 { return "next page serial \(nextPageSerial)" }
    return nil
  }

  private var violationOfEras: String? {
    guard let first = eras.first else { return "no era of the redo log" }
    if first.start > recoveryLSN { return "an era from LSN \(first.start) on" }
    var former: RedoEra?
    for era in eras {
      if era.incarnation > Self.largestCounter || era.start > Self.largestCounter
        || era.start % UInt64(RedoFormat.blockBytes) != 0
      {
        return "incarnation \(era.incarnation) from LSN \(era.start) on"
      }
      if let former, former.incarnation >= era.incarnation || former.start >= era.start {
        return "incarnation \(era.incarnation) from LSN \(era.start) on, after "
          + "\(former.incarnation) from \(former.start) on"
      }
      former = era
    }
    return nil
  }
}
