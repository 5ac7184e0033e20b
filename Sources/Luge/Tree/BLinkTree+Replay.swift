internal import Platform

// Recovery: applying redo records to loaded leaves. Single-threaded, logs nothing, waits for
// nothing.

extension BLinkTree {
  /// Sets a key as the redo record at `lsn` says, unless the image that its page was loaded from
  /// has it already. True when it was applied.
  @discardableResult
  func replayPut(
    lsn: UInt64, key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer
  ) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    try BLinkTree.checkValue(value.count)
    return try replay(lsn, unsafe ByteView(key), unsafe ByteView(value))
  }

  /// The same for a value that lies apart. Throws `.corruption` where it is not there: it was durable
  /// before the redo record that names it.
  @discardableResult
  func replayPut(
    lsn: UInt64, key: UnsafeRawBufferPointer, reference: ValueReference
  ) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    try BLinkTree.checkValue(Int(reference.length))
    let part = reference.part(key: key.count)
    try context.values.retain(part)
    let applied = try replay(lsn, unsafe ByteView(key), nil, reference)
    // The image names it, or what came later.
    if !applied { try context.values.release([part], at: context.log.tail) }
    return applied
  }

  /// Takes a key away likewise.
  @discardableResult
  func replayDelete(lsn: UInt64, key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    return try replay(lsn, unsafe ByteView(key), nil)
  }

  /// Sets a key, or takes it away where there is neither a value nor a reference.
  func replay(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?, at reference: ValueReference?
  ) throws(LugeError) -> Bool {
    guard let reference else { return try replay(lsn, key, value) }
    // The caller lends the key for the call.
    return unsafe try replayPut(lsn: lsn, key: key.buffer, reference: reference)
  }

  /// Neither a value nor a reference: takes the key away.
  private func replay(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?, _ reference: ValueReference? = nil
  ) throws(LugeError) -> Bool {
    while true {
      if let applied = try replayResident(lsn, key, value, reference) { return applied }
      try pageIn(key)
    }
  }

  /// Nil when the leaf is not in memory. A page that has it already need not be.
  private func replayResident(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?, _ reference: ValueReference?
  ) throws(LugeError) -> Bool? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    while true {
      guard let (page, found) = descend(key, pin) else { return nil }
      if page.imageLSN.load() > lsn { return false }
      guard let leaf = found else { return nil }
      let slot = leaf.locate(key)
      // Everything is committed here, so the top record is the one that counts.
      let former = Leaf.record(slot.word)
      let wasPresent = presentValue(former) != nil
      let isPresent = value != nil || reference != nil
      if !isPresent && !wasPresent { return true }
      // Frozen: by a rebuild that failed.
      if slot.word & Leaf.frozen != 0 || slot.index == leaf.wordCount {
        try consolidate(page, leaf, pin)
        continue
      }
      let version = VersionWord.committed | VersionWord.body(lsn)
      let record =
        if let reference {
          Record.build(pin, version: version, key: key, reference: reference)
        } else {
          Record.build(pin, version: version, key: key, value: value)
        }
      guard install(record, leaf, slot, former, pin) else {
        preconditionFailure("replay is single-threaded")
      }
      if former != 0 { context.retireVersion(Record(address: former), pin) }
      adjustCount(from: wasPresent, to: isPresent, pin)
      trim(page, leaf, pin)
      return true
    }
  }
}
