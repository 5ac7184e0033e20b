internal import Platform

// What a single-key write puts into the redo log.

extension BLinkTree {
  /// Bytes of the piece that one write of a key takes.
  @inline(__always)
  func redoPieceBytes(key: Int, value: Int) -> Int {
    (24 + 32 + key + value + 7) & ~7
  }

  /// Fills a committed record's piece.
  func fill(_ lsn: UInt64, _ record: Record) {
    unsafe context.log.fill(lsn, kind: 2, payload: UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
