internal import Platform

// Write-out: what a checkpoint takes from a tree, page by page, while everybody works on.

/// A page as one step of a checkpoint's walk found it.
struct PageImage: Sendable {
  let page: Page
  let low: [UInt8]
  /// Where the walk goes on: the high key *of this image*, whatever has split since. Nil: the last
  /// page.
  let high: [UInt8]?
  /// W: the redo records of this range below it are in the image.
  let lsn: UInt64
  let entries: Int
  /// Bytes of the image, new or old.
  let byteCount: Int
  /// The image to be written; nil when the one at `diskAddress` is as good.
  let bytes: [UInt8]?
  /// Address of the last image, 0 when there is none. Stale when `bytes` is there.
  let diskAddress: UInt64
}

extension BLinkTree {
  /// The page that covers `key`, with a new image if it is dirty or has none, or if `rewrites` says
  /// so of its disk address (to move it elsewhere).
  ///
  /// Takes W, then the leaf, then clears the flags, and only then looks at the words: what is
  /// committed goes in; what is undecided is pushed to W or above and left out, and the page is
  /// dirty again. W comes first because the leaf may be replaced at once: what has an LSN below W
  /// was installed before, so it is in the leaf that is taken afterwards, while the leaf may lack
  /// what is committed later. After the image is written, `wrote`; if it cannot be, `markDirty`.
  /// One thread at a time.
  func writeOut(
    covering key: [UInt8], rewrites: (_ diskAddress: UInt64) -> Bool
  ) throws(LugeError) -> PageImage {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let lsn = context.log.tail
    // The array outlives the closure; nothing in it is kept.
    let (page, leaf) = unsafe key.withUnsafeBytes { unsafe descend(ByteView($0), pin) }
    try context.interrupt("tree.leafTaken")
    let address = page.diskAddress.load()
    let low = page.low.copy()
    let high = leaf.hasHigh ? leaf.high.copy() : nil
    if address != 0 && leaf.flags.load() & Leaf.dirty == 0 && !rewrites(address) {
      return PageImage(
        page: page, low: low, high: high, lsn: page.imageLSN.load(),
        entries: Int(page.imageEntries.load()),
        byteCount: Int(page.imageBytes.load()), bytes: nil, diskAddress: address)
    }
    _ = leaf.flags.fetchAnd(~(Leaf.dirty | Leaf.baseOnly))
    do { try context.interrupt("tree.writeOut") } catch {
      leaf.markDirty()
      throw error
    }
    let order = LeafOrder(leaf)
    defer { order.free() }
    let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: order.count + 1)
    defer { unsafe scratch.deallocate() }
    var found = 0
    var sawPending = false
    var index = 0
    while index < order.count {
      let seen = visible(order.address(index), leaf, pin)
      if seen.sawPending { sawPending = true }
      if seen.record != 0 && !Record(address: seen.record).isTombstone {
        unsafe scratch[found] = seen.record
        found += 1
      }
      index += 1
    }
    if sawPending {
      probe("tree.writeOutPushed")
      leaf.markDirty()
    }
    let bytes = unsafe LeafImage.encodeBase(
      tree: id, lsn: lsn, low: page.low, high: leaf.hasHigh ? leaf.high : nil, records: scratch,
      count: found)
    return PageImage(
      page: page, low: low, high: high, lsn: lsn, entries: found,
      byteCount: bytes.count, bytes: bytes,
      diskAddress: address)
  }

  /// The image is written at `diskAddress` (not 0).
  func wrote(_ image: PageImage, at diskAddress: UInt64) {
    image.page.imageLSN.store(image.lsn)
    image.page.imageEntries.store(UInt64(image.entries))
    image.page.imageBytes.store(UInt64(image.byteCount))
    image.page.diskAddress.store(diskAddress)
  }

  /// The image is not on disk after all: the page is to be written at the next opportunity.
  func markDirty(_ page: Page) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    page.leaf.markDirty()
  }
}
