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

  /// Takes a key away likewise.
  @discardableResult
  func replayDelete(lsn: UInt64, key: UnsafeRawBufferPointer) throws(LugeError) -> Bool {
    try BLinkTree.checkKey(key.count)
    return try replay(lsn, unsafe ByteView(key), nil)
  }

  /// Nil: takes the key away.
  func replay(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?
  ) throws(LugeError) -> Bool {
    while true {
      if let applied = try replayResident(lsn, key, value) { return applied }
      try pageIn(key)
    }
  }

  /// Nil when the leaf is not in memory. A page that has it already need not be.
  private func replayResident(
    _ lsn: UInt64, _ key: ByteView, _ value: ByteView?
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
      if value == nil && !wasPresent { return true }
      // Frozen: by a rebuild that failed.
      if slot.word & Leaf.frozen != 0 || slot.index == leaf.wordCount {
        try consolidate(page, leaf, pin)
        continue
      }
      let record = Record.build(
        pin, version: VersionWord.committed | VersionWord.body(lsn), key: key, value: value)
      guard install(record, leaf, slot, former, pin) else {
        preconditionFailure("replay is single-threaded")
      }
      if former != 0 { Record(address: former).retire(pin) }
      adjustCount(from: wasPresent, to: value != nil, pin)
      trim(page, leaf, pin)
      return true
    }
  }
}
