internal import Platform

// Values that lie apart: in value segments, while the record in its leaf holds a reference. They are
// read when they are asked for, straight to where they are wanted, and never cached: so a value of
// many mebibytes pushes nobody out of memory.
//
// Who reads one is not pinned. Meanwhile the cleaner may move the value, or a writer replace it, and a
// checkpoint then remove the segment: so a read that fails looks the key up again, and only who finds
// the same reference twice has found damage. (Addresses are never used twice, and the checksum is in
// the reference, so no other bytes are ever taken for the value's.)

extension BLinkTree {
  // MARK: Writing

  /// Writes a value to a value segment. It is the caller's, to be released, until a commit names it.
  /// Unpinned; waits for memory of the buffers or, above their size, for the device.
  func keepApart(
    _ value: ByteView, of key: ByteView, checksum: UInt32
  ) throws(LugeError) -> ValueReference {
    var head = ByteWriter(capacity: ValueReference.headBytes(key: key.count))
    head.write(id)
    head.writeVarint(UInt64(key.count))
    // The caller lends both for the call.
    unsafe head.write(key.buffer)
    let part = unsafe try context.values.append(.value, after: head.bytes, value.buffer)
    probe("value.appended")
    return ValueReference(
      address: part.address.rawValue, length: UInt32(value.count), checksum: checksum)
  }

  // MARK: Reading

  /// Reads a value into memory of its size. Unpinned.
  ///
  /// Safe: the target is lent for the call.
  func readApart(
    _ reference: ValueReference, keyCount: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(LugeError) {
    try context.interrupt("value.read")
    let address = PageAddress(rawValue: reference.address)
    let start = PageFormat.recordHeaderBytes + ValueReference.headBytes(key: keyCount)
    unsafe try context.values.read(address, from: start, into: target)
    let sum = unsafe crc32c(UnsafeRawBufferPointer(target))
    guard sum == reference.checksum else {
      throw context.values.damage(
        address, "the checksum of a large value is wrong", expected: "\(reference.checksum)",
        found: "\(sum)")
    }
  }

  /// The same into an array.
  func readApart(_ reference: ValueReference, keyCount: Int) throws(LugeError) -> [UInt8] {
    var failure: LugeError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(reference.length)) {
      buffer, count in
      // All of it is initialised when nothing is thrown.
      let target = unsafe UnsafeMutableRawBufferPointer(
        start: buffer.baseAddress, count: Int(reference.length))
      do throws(LugeError) {
        unsafe try readApart(reference, keyCount: keyCount, into: target)
        count = Int(reference.length)
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Reads a value a piece at a time and throws `.corruption` where it, or anything else of its record, is
  /// damaged: the cleaner needs the record whole, though no reader does.
  func checkApart(_ value: ValueOnDisk) throws(LugeError) {
    let part = value.part
    try context.values.checkRecord(part, .value)
    let length = Int(value.reference.length)
    let start = PageFormat.recordHeaderBytes + ValueReference.headBytes(key: value.key.count)
    let piece = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(start, min(length, 1 << 20)), alignment: 8)
    defer { unsafe piece.deallocate() }
    let front = unsafe UnsafeMutableRawBufferPointer(rebasing: piece[..<start])
    try unsafe context.values.read(part.address, from: 0, into: front)
    var whole = unsafe PageFormat.checksum(front: UnsafeRawBufferPointer(front))
    let stored = unsafe PageFormat.storedChecksum(UnsafeRawBufferPointer(front))
    var done = 0
    var sum: UInt32 = 0
    while done < length {
      // Within the piece, which lives to the end of this call.
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: piece[..<min(piece.count, length - done)])
      unsafe try context.values.read(part.address, from: start + done, into: target)
      unsafe sum = crc32c(UnsafeRawBufferPointer(target), seed: sum)
      unsafe whole = crc32c(UnsafeRawBufferPointer(target), seed: whole)
      done += target.count
    }
    guard sum == value.reference.checksum else {
      throw context.values.damage(
        part.address, "the checksum of a large value is wrong",
        expected: "\(value.reference.checksum)", found: "\(sum)")
    }
    guard whole == stored else {
      throw context.values.damage(
        part.address, "the checksum of a large value's record is wrong",
        expected: "\(stored)", found: "\(whole)")
    }
  }

  /// What of a key is copied out.
  private enum Copied {
    case missing
    case absent
    /// The value, if its bytes are asked for.
    case here([UInt8])
    case apart(ValueReference)
  }

  /// The value that a key has at a snapshot, which is registered, or now.
  @inline(never)
  func getSlowly(
    _ key: ByteView, at snapshot: UInt64 = BLinkTree.latest
  ) throws(LugeError) -> [UInt8]? {
    var attempt = ApartAttempt()
    while true {
      switch try copied(key, snapshot, copies: true) {
      case .missing: try pageIn(key)
      case .absent: return nil
      case .here(let bytes): return bytes
      case .apart(let reference):
        try attempt.check(reference)
        do throws(LugeError) {
          return try readApart(reference, keyCount: key.count)
        } catch { try attempt.note(error, reference) }
      }
    }
  }

  /// Whether a key has a value at a snapshot.
  func contains(_ key: ByteView, at snapshot: UInt64) throws(LugeError) -> Bool {
    while true {
      switch try copied(key, snapshot, copies: false) {
      case .missing: try pageIn(key)
      case .absent: return false
      case .here, .apart: return true
      }
    }
  }

  private func copied(
    _ key: ByteView, _ snapshot: UInt64, copies: Bool
  ) throws(LugeError) -> Copied {
    let pin = try context.pins.pin()
    defer { pin.end() }
    switch try sight(key, snapshot, pin) {
    case .missing: return .missing
    case .absent: return .absent
    case .apart(let reference): return .apart(reference)
    case .here(let record): return .here(copies ? record.value.copy() : [])
    }
  }

  /// A record in memory with a key and a value that lies apart, which nothing else keeps. Unpinned.
  /// It counts as memory in use for as long as that, and room is made for it. The hazard that holds it is
  /// the caller's to clear.
  func materialize(
    _ key: ByteView, _ reference: ValueReference
  ) throws(LugeError) -> (Record, WordRef) {
    try context.makeRoom(bytes: Int(reference.length))
    let pin = try context.epochs.place()
    let (record, value) = unsafe Record.build(pin, key: key, valueCount: Int(reference.length))
    do throws(LugeError) {
      unsafe try readApart(reference, keyCount: key.count, into: value)
    } catch {
      record.free(pin)
      throw error
    }
    probe("value.viewed")
    pin.begin()
    defer { pin.end() }
    let hazard = pin.hazard(on: record.address)
    record.retire(pin)
    return (record, hazard)
  }
}

/// Tells damage from a value that was moved or replaced while it was read: one that cannot be read is
/// looked up again, once for each place.
struct ApartAttempt {
  private var failure: (reference: ValueReference, error: LugeError)?

  /// What the last read came to, for one who does not look again.
  var failed: LugeError {
    failure?.error ?? LugeError(.corruption, "a large value cannot be read")
  }

  /// Before a read. Throws what the last one came to if it is the same place.
  func check(_ reference: ValueReference) throws(LugeError) {
    if let failure, failure.reference == reference { throw failure.error }
  }

  /// After a read that failed. Throws what cannot be for that reason.
  mutating func note(_ error: LugeError, _ reference: ValueReference) throws(LugeError) {
    if error.code != .corruption { throw error }
    probe("value.readAgain")
    failure = (reference, error)
  }
}
