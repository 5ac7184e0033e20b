import Platform

/// What a scan of the redo brings in: operations by key, as many as memory is there for, and ids.
///
/// Safe: payloads are lent for one call, and nothing of them is kept.
final class RedoHarvest {
  private let limit: Int
  private let values: PageStore
  /// Operations, until `end` was reached.
  private(set) var pending = PendingRedo()
  /// Not all that there is fits.
  private(set) var isFull = false
  private(set) var identifiersReserved: UInt64 = 0

  /// - Parameter limit: bytes of memory.
  init(limit: Int, values: PageStore) {
    self.limit = limit
    self.values = values
  }

  /// One piece. False when there is no room for it; the first is always taken.
  func take(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) -> Bool {
    switch kind {
    case .commit, .commitApart:
      if pending.bytes > limit {
        isFull = true
        return false
      }
      probe("recovery.commitReplayed")
      if kind == .commit { unsafe try add(lsn, payload) } else { unsafe try addApart(lsn, payload) }
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

  /// The payload lies in a value segment. It was durable before the piece that names it was written, so
  /// one that is not whole is damage, and no torn tail.
  private func addApart(_ lsn: UInt64, _ payload: UnsafeRawBufferPointer) throws(LugeError) {
    // Good for the length of this call.
    guard let reference = unsafe ValueReference(payload) else {
      throw LugeError(.corruption, "the commit at LSN \(lsn) cannot be decoded")
    }
    probe("recovery.commitApartReplayed")
    let record = try values.read(reference.commitPart, .commit)
    unsafe try record.withPayload { (payload) throws(LugeError) in
      guard unsafe crc32c(payload) == reference.checksum else {
        throw values.damage(
          PageAddress(rawValue: reference.address),
          "a large commit is not the one that the redo log names", expected: nil, found: nil)
      }
      pending.note(apart: reference, lsn: lsn)
      unsafe try add(lsn, payload)
    }
  }

  private func add(_ lsn: UInt64, _ payload: UnsafeRawBufferPointer) throws(LugeError) {
    var offset = RedoFormat.headerBytes
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
    pending = PendingRedo()
    isFull = false
  }
}
