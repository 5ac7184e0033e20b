import Platform

/// What a scan of the redo brings in: operations by key, as many as memory is there for, and ids.
///
/// Safe: payloads are lent for one call, and nothing of them is kept.
final class RedoHarvest {
  private let limit: Int
  let pending = PendingRedo()
  /// Not all that there is fits.
  private(set) var isFull = false
  private(set) var identifiersReserved: UInt64 = 0

  /// - Parameter limit: bytes of memory.
  init(limit: Int) { self.limit = limit }

  /// One piece. False when there is no room for it; the first is always taken.
  func take(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) -> Bool {
    switch kind {
    case .commit:
      if pending.bytes > limit {
        isFull = true
        return false
      }
      probe("recovery.commitReplayed")
      unsafe try add(lsn, payload)
    case .identifiers:
      // The payload is good for the length of this call.
      var reader = unsafe ByteReader(payload)
      guard let limit = unsafe reader.readUInt64(), limit <= Superblock.largestCounter else {
        throw LugeError(.corruption, "the id reservation at LSN \(lsn) cannot be decoded")
      }
      probe("recovery.identifiersReplayed")
      identifiersReserved = max(identifiersReserved, limit)
    case .pad, .group: break
    }
    return true
  }

  private func add(_ lsn: UInt64, _ payload: UnsafeRawBufferPointer) throws(LugeError) {
    var offset = RedoFormat.headerBytes
    let pending = pending
    unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      guard unsafe operation.tree < Superblock.largestCounter,
        unsafe operation.key.count <= TreeSettings.longestKey
      else {
        throw LugeError(
          .corruption, "the redo log names a tree by no valid id, or a key that is none",
          found: "tree \(unsafe operation.tree) at LSN \(lsn)")
      }
      unsafe pending.add(
        tree: operation.tree, key: operation.key, lsn: lsn, offset: offset,
        operation: operation.bytes)
      unsafe offset += operation.bytes.count
    }
  }

  /// Gives up what was taken, to begin again with what follows.
  func clear() {
    pending.removeAll()
    isFull = false
  }
}
