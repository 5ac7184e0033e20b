internal import Platform

// What the cleaner does to one record of a value segment: nothing, where no version of its key names
// it any more; else it is written elsewhere, and the key gets a record that names the copy.
//
// 1. The page must be in memory, and its claim free: nobody writes it out or evicts it meanwhile.
// 2. The record at the top of the key's word must name the value, be committed and have nothing beneath
//    it (what a snapshot keeps is left for another time). Append a copy to the cold stream, unpinned.
// 3. Put a record of the same version that names the copy in its place, by compare-and-swap of the
//    word. Whoever splits or rebuilds the leaf has frozen the word before: then this gives up.
// 4. Mark the leaf dirty: its next image names the copy. (The record says that it was moved, which
//    makes the entry part of the next fragment though its LSN is below W.) Only then release the original.

extension BLinkTree {
  private enum Candidate {
    case dead
    case busy
    case kept
    case missing
    /// The claim of its page is the caller's.
    case claimed(Page)
  }

  /// Moves the value of a key if its version names `record`. Unpinned. The tree's memory is not freed
  /// meanwhile.
  ///
  /// - Parameter record: of kind value, as it was read from its segment and found good.
  func relocateValue(_ record: ScannedRecord, key: [UInt8]) throws(LugeError) -> Relocation {
    var loads = 3
    while true {
      switch try lookForValue(record.part, key) {
      case .dead: return .dead
      case .busy: return .busy
      case .kept: return .kept
      case .missing:
        if loads == 0 { return .busy }
        loads -= 1
        try pageIn(key)
      case .claimed(let page):
        defer { page.releaseClaim() }
        let copy = try context.values.append(.value, record.payload, to: .cold)
        let isMoved: Bool
        do throws(LugeError) {
          try context.interrupt("value.copied")
          isMoved = try swing(record.part, to: copy, page, key)
        } catch {
          try? context.values.release([copy], at: context.log.tail)
          throw error
        }
        try context.values.release([isMoved ? record.part : copy], at: context.log.tail)
        return isMoved ? .moved(bytes: copy.bytes) : .busy
      }
    }
  }

  private func lookForValue(_ part: PagePart, _ key: [UInt8]) throws(LugeError) -> Candidate {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    // The array outlives the closure; nothing in it is kept.
    return unsafe key.withUnsafeBytes { key in
      let key = unsafe ByteView(key)
      guard let (page, found) = descend(key, pin), let leaf = found else { return .missing }
      let top = Leaf.record(leaf.locate(key).word)
      guard BLinkTree.names(part, beneath: top) else { return .dead }
      if isKept(Record(address: top), pin) { return .kept }
      guard BLinkTree.claimResident(page) else { return .busy }
      if movable(part, key, page) != nil { return .claimed(page) }
      page.releaseClaim()
      return .busy
    }
  }

  /// Whether a snapshot needs a version beneath a committed one. Others are dropped.
  private func isKept(_ record: Record, _ pin: Pin) -> Bool {
    guard VersionWord.state(record.version.load()) == VersionWord.committed else { return false }
    context.prune(record, pin)
    return record.predecessor.load() != 0
  }

  /// Whether one of the versions from `top` down names a record of a value segment.
  private static func names(_ part: PagePart, beneath top: UInt64) -> Bool {
    var address = top
    while address != 0 {
      let record = Record(address: address)
      if record.isReference && record.reference.address == part.address.rawValue { return true }
      address = record.beneath
    }
    return false
  }

  /// Where a record lies that can be replaced now, and its leaf. Under the page's claim.
  private func movable(_ part: PagePart, _ key: ByteView, _ page: Page) -> (Leaf, LeafSlot)? {
    guard let leaf = page.leaf, !leaf.isBelow(key) else { return nil }
    let slot = leaf.locate(key)
    let top = Leaf.record(slot.word)
    if top == 0 || slot.word & Leaf.frozen != 0 { return nil }
    let record = Record(address: top)
    guard record.isReference, record.reference.address == part.address.rawValue,
      // Its writer may still want to take it back; a batch still refers to it.
      VersionWord.state(record.version.load()) == VersionWord.committed,
      // What is beneath would belong to two records.
      record.predecessor.load() == 0
    else { return nil }
    return (leaf, slot)
  }

  private func swing(
    _ part: PagePart, to copy: PagePart, _ page: Page, _ key: [UInt8]
  ) throws(LugeError) -> Bool {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    return unsafe key.withUnsafeBytes { key in
      let key = unsafe ByteView(key)
      guard let (leaf, slot) = movable(part, key, page) else { return false }
      let former = Record(address: Leaf.record(slot.word))
      var reference = former.reference
      reference.address = copy.address.rawValue
      let record = Record.build(
        pin, version: former.version.load(), key: key, reference: reference, isMoved: true)
      let word = Leaf.word(record, key)
      guard leaf.word(slot.index).compareExchange(expected: slot.word, desired: word) else {
        record.free(pin)
        return false
      }
      // A leaf that takes this one's place is born dirty.
      leaf.markDirty()
      // The version lives on in the other record.
      former.retire(pin)
      return true
    }
  }
}
