internal import Platform

// What a single-key write puts into the redo log.

extension BLinkTree {
  /// Bytes of the piece that one write of a key takes. A nil value: a removal.
  @inline(__always)
  func redoPieceBytes(key: Int, value: Int?) -> Int {
    RedoFormat.pieceBytes(
      payload: RedoPayload.operationBytes(tree: id, key: key, value: value))
  }

  /// Bytes of the piece that says what a record says.
  @inline(__always)
  func redoPieceBytes(_ record: Record) -> Int {
    redoPieceBytes(key: record.keyCount, value: record.isTombstone ? nil : record.valueCount)
  }

  /// Fills a committed record's piece.
  func fill(_ lsn: UInt64, _ record: Record) {
    let key = record.key
    let value: ByteView? = record.isTombstone ? nil : record.value
    let size = RedoPayload.operationBytes(tree: id, key: key.count, value: value?.count)
    unsafe withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
      var writer = unsafe RawWriter(memory)
      unsafe RedoPayload.encode(tree: id, key: key.buffer, value: value?.buffer, into: &writer)
      unsafe context.log.fill(lsn, kind: .commit, payload: UnsafeRawBufferPointer(memory))
    }
  }
}
