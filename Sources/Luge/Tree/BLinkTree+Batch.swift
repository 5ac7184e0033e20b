internal import Platform

// What a batch does to a tree: installing records that are not decided yet.

/// What came of installing one record of a batch.
enum BatchInstallation {
  case installed(wasPresent: Bool)
  /// The log room paid for is used up.
  case needsAdmission
  /// An older batch is in the way: address of its descriptor, good in this pin.
  case behind(UInt64)
  /// The leaf is not in memory.
  case missing
}

/// The leaf of the key installed last: the next one is often there, because keys ascend. Good in
/// one pin.
struct BatchPath {
  fileprivate var tree: UInt64 = .max
  fileprivate var page: UInt64 = 0
  fileprivate var leaf: UInt64 = 0
}

extension BLinkTree {
  /// Installs one record of a batch over what is resolved beneath it. `near` is the page that the
  /// index led to for its key, earlier in this pin, or 0. Waits for nothing.
  func installUndecided(
    _ record: Record, _ age: UInt64, near: UInt64, _ path: inout BatchPath, _ pin: Pin
  ) throws(LugeError) -> BatchInstallation {
    let key = record.key
    var near = near
    while true {
      guard
        let (page, found) = descend(key, near, &path, pin, isBlind: !record.isTombstone),
        let leaf = found
      else { return .missing }
      leaf.noteVisit()
      var slot = leaf.locate(key)
      while true {
        if leaf.isPartial && (record.isTombstone || isFull(partial: leaf, slot)) {
          return .missing
        }
        if slot.word & Leaf.frozen != 0 || slot.index == leaf.wordCount {
          if slot.word & Leaf.frozen != 0 { probe("tree.helpedFrozen") }
          path.tree = .max
          near = 0
          try consolidate(page, leaf, pin)
          break
        }
        let top = Leaf.record(slot.word)
        var beneath: UInt64 = 0
        if top != 0 {
          switch try resolve(top, leaf, pin, age: age) {
          case .ready(let found): beneath = found
          case .needsAdmission: return .needsAdmission
          case .behind(let older): return .behind(older)
          }
        }
        try context.interrupt("tree.batchInstall")
        record.predecessor.storeRelaxed(beneath)
        if install(record, leaf, slot, beneath, pin) {
          let wasPresent = beneath == 0 ? leaf.isPartial : presentValue(beneath) != nil
          if leaf.isHeavy(context.settings) {
            path.tree = .max
            trim(page, leaf, pin)
          }
          return .installed(wasPresent: wasPresent)
        }
        slot = relocate(leaf, key, slot)
      }
    }
  }

  /// The page and leaf of a key not below the last one: the last leaf, if the key is below its end.
  /// A leaf that was replaced meanwhile is frozen, and whoever writes to it finds that.
  @inline(__always)
  private func descend(
    _ key: ByteView, _ near: UInt64, _ path: inout BatchPath, _ pin: Pin, isBlind: Bool
  ) -> (page: Page, leaf: Leaf?)? {
    if path.tree == id {
      let leaf = Leaf(address: path.leaf)
      if !leaf.isBelow(key) { return (Page(address: path.page), leaf) }
    }
    // The page's low key is not above this one, and never changes.
    if near != 0, let leaf = Page(address: near).leaf, !leaf.isBelow(key) {
      path = BatchPath(tree: id, page: near, leaf: leaf.address)
      return (Page(address: near), leaf)
    }
    guard let (page, found) = descend(key, pin),
      let leaf = found ?? (isBlind ? beginPartial(page, key, pin) : nil)
    else { return nil }
    path = BatchPath(tree: id, page: page.address, leaf: leaf.address)
    return (page, leaf)
  }

  /// Asks for the page of a key that will soon be written to; its address, for this pin; 0 when
  /// that is not in memory.
  @inline(__always)
  func approachPage(_ key: ByteView) -> UInt64 {
    guard let page = findPage(key) else { return 0 }
    unsafe prefetch(UnsafeRawPointer(page.base))
    return page.address
  }
}
