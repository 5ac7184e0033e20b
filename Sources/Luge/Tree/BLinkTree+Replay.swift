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
    return try replay(lsn, unsafe ByteView(key), unsafe ByteView(value), nil)
  }

  /// Takes a key away likewise.
  @discardableResult
  func replayDelete(lsn: UInt64, key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    return try replay(lsn, unsafe ByteView(key), nil, nil)
  }

  /// Sets a key to a value, or to one that lies apart, or takes it away.
  func replay(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?, _ reference: ValueReference?
  ) throws(LugeError) -> Bool {
    guard let reference else { return try replayInPlace(lsn, key, value, nil) }
    return try replayApart(lsn, key, reference)
  }

  /// Throws `.corruption` where the value is not there: it was durable before the redo record that names it.
  private func replayApart(
    _ lsn: UInt64, _ key: ByteView, _ reference: ValueReference
  ) throws(LugeError) -> Bool {
    try BLinkTree.checkValue(Int(reference.length))
    probe("recovery.valueReplayed")
    let part = reference.part(key: key.count)
    try context.values.retain(part)
    do throws(LugeError) {
      if try replayInPlace(lsn, key, nil, reference) { return true }
    } catch {
      try? context.values.release([part], at: context.log.tail)
      throw error
    }
    // The image names it, or what came later.
    try context.values.release([part], at: context.log.tail)
    return false
  }

  private func replayInPlace(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?, _ reference: ValueReference?
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
      let record = Record.committed(
        pin, lsn: lsn, key: key, value: value, reference: reference)
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
