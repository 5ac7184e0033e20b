import Platform

/// What the cleaner asks of the page segments.
extension PageStore {
  /// Every segment that nobody appends to any more, in the order of serials.
  func segmentsAtRest() throws(LugeError) -> [PageSegments.Segment] {
    try lock.acquire()
    defer { lock.unlock() }
    return segments.all.filter { segment in !isAppendedTo(segment.serial) }
  }

  /// Bytes of segments that nothing in memory names, and that go with the next checkpoint.
  func reclaimableBytes() throws(LugeError) -> Int {
    try lock.acquire()
    defer { lock.unlock() }
    return waitingBytes().waiting
  }

  /// Whether so much waits for a checkpoint that one is worth its while: an eighth of all there is,
  /// and a segment at least.
  func isReclaimDue() throws(LugeError) -> Bool {
    try lock.acquire()
    defer { lock.unlock() }
    let (waiting, all) = waitingBytes()
    return waiting >= max(segmentBytes, all / 8)
  }

  private func waitingBytes() -> (waiting: Int, all: Int) {
    var waiting = 0
    var all = 0
    for segment in segments.all {
      all += segment.fileBytes
      // One that no superblock names either could not be removed: another checkpoint does not help.
      if segment.liveBytes == 0
        && (named.bytes(of: segment.serial) > 0 || segment.freedAt > redoStart)
        && !isAppendedTo(segment.serial)
      {
        waiting += segment.fileBytes
      }
    }
    return (waiting, all)
  }
}
