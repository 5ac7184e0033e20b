import Platform

/// Looks at everything that images and redo name in value segments: whether it is there, whole.
///
/// Every value is read once, however many name it.
final class ValueAudit {
  private let values: PageStore
  private let codecs = CodecContexts()
  /// Addresses that were read, ascending.
  private var seen: [UInt64] = []
  /// Of the segments that hold them.
  private(set) var serials: [UInt64] = []

  init(_ values: PageStore) { self.values = values }

  /// One piece of the redo. Throws `.corruption` where something that it names is not there.
  ///
  /// Safe: the payload is lent for the call, and nothing of it is kept.
  func look(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) {
    switch kind {
    case .commit: unsafe try lookAtCommit(lsn, payload)
    case .commitApart:
      guard let reference = unsafe ValueReference(payload) else {
        throw LugeError(.corruption, "the commit at LSN \(lsn) cannot be decoded")
      }
      note(reference)
      let record = try values.read(reference.commitPart, .commit)
      unsafe try record.withPayload { (payload) throws(LugeError) in
        if unsafe crc32c(payload) != reference.checksum { throw damage(reference) }
        unsafe try lookAtCommit(lsn, payload)
      }
    case .pad, .group, .identifiers: break
    }
  }

  private func lookAtCommit(
    _ lsn: UInt64, _ payload: UnsafeRawBufferPointer
  ) throws(LugeError) {
    unsafe try RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      if let reference = unsafe operation.reference {
        try look(reference, keyCount: unsafe operation.key.count)
      }
    }
  }

  /// One page, by the records of its parts.
  func look(
    _ page: ChunkPage, _ records: [PageRecord], of tree: UInt64
  ) throws(LugeError) {
    if page.values.entries.isEmpty { return }
    for value in try page.decode(records, of: tree, codecs).values {
      try look(value.reference, keyCount: value.key.count)
    }
  }

  private func look(_ reference: ValueReference, keyCount: Int) throws(LugeError) {
    if !note(reference) { return }
    var bytes = [UInt8](repeating: 0, count: Int(reference.length))
    let start = PageFormat.recordHeaderBytes + ValueReference.headBytes(key: keyCount)
    // The array outlives the closure.
    let sum = try unsafe bytes.withUnsafeMutableBufferPointer { (bytes) throws(LugeError) in
      let target = UnsafeMutableRawBufferPointer(bytes)
      unsafe try values.read(
        PageAddress(rawValue: reference.address), from: start, into: target)
      return unsafe crc32c(UnsafeRawBufferPointer(target))
    }
    if sum != reference.checksum { throw damage(reference) }
  }

  /// False when it was read before.
  @discardableResult
  private func note(_ reference: ValueReference) -> Bool {
    let serial = PageAddress(rawValue: reference.address).serial
    if !serials.contains(serial) { serials.append(serial) }
    var low = 0
    var high = seen.count
    while low < high {
      let middle = (low + high) / 2
      if seen[middle] < reference.address { low = middle + 1 } else { high = middle }
    }
    if low < seen.count && seen[low] == reference.address { return false }
    seen.insert(reference.address, at: low)
    return true
  }

  private func damage(_ reference: ValueReference) -> LugeError {
    values.damage(
      PageAddress(rawValue: reference.address), "what is named in a value segment is not there",
      expected: "checksum \(reference.checksum)", found: nil)
  }
}

extension StorageAudit {
  /// Throws `.corruption` where pieces of the redo that are about to be written name something in a value
  /// segment that is not there. Looks at bytes that begin with a group, as those of every flush do that are not
  /// the rest of one, behind the end of a segment or of the ring.
  package func check(redo bytes: [UInt8]) throws(LugeError) {
    // The array outlives the closure; nothing in it is kept.
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(LugeError) in
      let bytes = UnsafeRawBufferPointer(bytes)
      var looker: ValueAudit?
      var seed: UInt32 = 0
      var start = 0
      while start < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
        guard let header = unsafe RedoHeader(rest), header.isWellFormed,
          Int(header.length) <= rest.count
        else { return }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: rest[..<Int(header.length)])
        let first = RedoFormat.headerBytes
        let payload = unsafe UnsafeRawBufferPointer(
          rebasing: piece[first..<first + Int(header.payloadLength)])
        if start == 0 {
          guard header.kind == RedoKind.group.rawValue,
            let group = unsafe RedoGroup(payload: payload)
          else { return }
          seed = RedoFormat.checksumSeed(incarnation: group.incarnation)
        }
        guard unsafe header.computedChecksum(piece, seed: seed) == header.checksum,
          let kind = RedoKind(rawValue: header.kind)
        else { return }
        if unsafe namesValues(header.lsn, kind, payload) {
          if looker == nil { looker = try values().map { values in ValueAudit(values) } }
          unsafe try looker?.look(header.lsn, kind, payload)
        }
        start += Int(header.length)
      }
    }
  }

  private func namesValues(
    _ lsn: UInt64, _ kind: RedoKind, _ payload: UnsafeRawBufferPointer
  ) -> Bool {
    if kind == .commitApart { return true }
    if kind != .commit { return false }
    var found = false
    unsafe try? RedoPayload.decode(payload, lsn: lsn) { (operation) throws(LugeError) in
      if unsafe operation.reference != nil { found = true }
    }
    return found
  }

  /// The value segments of the database; nil where there is no superblock yet.
  private func values() throws(LugeError) -> PageStore? {
    guard let superblock = newestRoot()?.superblock else { return nil }
    return try PageStore(
      platform: platform, directory: directory, family: .values,
      segmentBytes: Int(superblock.valueSegmentBytes), nextSerial: superblock.nextValueSerial)
  }
}
