internal import Platform

// What a single-key write puts into the redo log.

extension BLinkTree {
  /// Bytes of the piece that one write of a key takes. A nil value: a removal.
  @inline(__always)
  func redoPieceBytes(key: Int, value: Int?) -> Int {
    RedoLog.operationPieceBytes(tree: id, key: key, value: value)
  }

  /// Bytes of the piece that says what a record says.
  @inline(__always)
  func redoPieceBytes(_ record: Record) -> Int {
    redoPieceBytes(key: record.keyCount, value: record.isTombstone ? nil : record.storedCount)
  }

  /// Fills a committed record's piece of `bytes` bytes.
  @inline(__always)
  func fill(_ lsn: UInt64, bytes: Int, _ record: Record) {
    if record.isReference { return fillApart(lsn, bytes: bytes, record) }
    let value: ByteView? = record.isTombstone ? nil : record.value
    unsafe context.unretainedLog._withUnsafeGuaranteedRef { log in
      log.fillOperation(lsn, bytes: bytes, tree: id, key: record.key, value: value)
    }
  }

  @inline(never)
  private func fillApart(_ lsn: UInt64, bytes: Int, _ record: Record) {
    unsafe record.reference.withBytes { reference in
      // Good within the closure; copied.
      context.log.fillOperation(
        lsn, bytes: bytes, tree: id, key: record.key, value: unsafe ByteView(reference),
        isApart: true)
    }
  }
}
