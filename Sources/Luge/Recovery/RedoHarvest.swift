import Platform

/// What a scan of the redo brings in: operations by key, as many as memory is there for, and ids.
///
/// What a piece names in a value segment was durable before the piece was written, so one that is not there is
/// damage and no torn tail, whatever the LSN.
///
/// Safe: payloads are lent for one call, and nothing of them is kept.
final class RedoHarvest {
  private let limit: Int
  private let values: PageStore
  let pending = PendingRedo()
  /// Not all that there is fits.
  private(set) var isFull = false
  private(set) var identifiersReserved: UInt64 = 0

  /// - Parameters:
  ///   - limit: bytes of memory.
  ///   - values: the value segments, as they were found.
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
      if kind == .commit {
        unsafe try add(lsn, payload, from: RedoFormat.headerBytes)
      } else {
        unsafe try addApart(lsn, payload)
      }
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

  /// The payload lies in a value segment.
  private func addApart(_ lsn: UInt64, _ payload: UnsafeRawBufferPointer) throws(LugeError) {
    // Good for the length of this call.
    guard let reference = unsafe ValueReference(payload) else {
      throw LugeError(.corruption, "the commit at LSN \(lsn) cannot be decoded")
    }
    probe("recovery.commitApartReplayed")
    let record = try values.read(reference.commitPart, .commit)
    pending.noteApart(lsn: lsn, reference.address)
    unsafe try record.withPayload { (payload) throws(LugeError) in
      guard unsafe crc32c(payload) == reference.checksum else {
        throw LugeError(
          .corruption, "a large commit is not the one that the redo log names",
          path: values.path(PageAddress(rawValue: reference.address).serial))
      }
      unsafe try add(lsn, payload, from: 0, isApart: true)
    }
  }

  /// - Parameter start: of the payload, in its piece; or in its record where that lies apart.
  private func add(
    _ lsn: UInt64, _ payload: UnsafeRawBufferPointer, from start: Int, isApart: Bool = false
  ) throws(LugeError) {
    var offset = start
    let pending = pending
    unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      guard unsafe operation.tree < Superblock.largestCounter,
        unsafe operation.key.count <= TreeSettings.longestKey
      else {
        throw LugeError(
          .corruption, "the redo log names a tree by no valid id, or a key that is none",
          found: "tree \(unsafe operation.tree) at LSN \(lsn)")
      }
      if let reference = unsafe operation.reference {
        try values.checkNamed(unsafe reference.part(key: operation.key.count))
      }
      unsafe pending.add(
        tree: operation.tree, key: operation.key, lsn: lsn, offset: offset,
        operation: operation.bytes, isApart: isApart)
      unsafe offset += operation.bytes.count
    }
  }

  /// Gives up what was taken, to begin again with what follows.
  func clear() {
    pending.removeAll()
    isFull = false
  }
}
