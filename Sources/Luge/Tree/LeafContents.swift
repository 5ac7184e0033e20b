internal import Platform

/// What a write-out takes from a leaf: the committed records, and those among them that came since
/// the page was written last.
///
/// Safe: used within the pin that it was made in, and freed by hand in the same function.
@safe struct LeafContents {
  /// Addresses of records with a value, ascending by key, and behind them those of changed ones.
  private let memory: UnsafeMutablePointer<UInt64>
  private let changedOffset: Int
  /// Records with a value.
  private(set) var count = 0
  /// Records committed at or above `since`, tombstones included.
  private(set) var changedCount = 0
  /// Greatest LSN among these.
  private(set) var newest: UInt64 = 0
  private var changedWeight = 0
  /// Of the records with a value.
  private var weight = 0

  /// The most fragments of a page. A read fetches them all, in one round.
  static let mostFragments = 8

  var records: UnsafePointer<UInt64> { unsafe UnsafePointer(memory) }
  var changed: UnsafePointer<UInt64> { unsafe UnsafePointer(memory + changedOffset) }

  /// Takes what is committed. What is undecided is pushed past the tail of now and left out, and
  /// the leaf is marked dirty for it.
  ///
  /// - Parameter since: W of the page's newest part; nil where changes are not asked for.
  init(_ tree: BLinkTree, _ leaf: Leaf, since: UInt64?, _ pin: Pin) {
    let order = LeafOrder(leaf)
    defer { order.free() }
    changedOffset = order.count + 1
    unsafe memory = .allocate(capacity: 2 * (order.count + 1))
    var sawPending = false
    var index = 0
    while index < order.count {
      let seen = tree.visible(order.address(index), leaf, pin)
      if seen.sawPending { sawPending = true }
      if seen.record != 0 { add(Record(address: seen.record), since) }
      index += 1
    }
    if sawPending {
      probe("tree.writeOutPushed")
      leaf.markDirty()
    }
  }

  private mutating func add(_ record: Record, _ since: UInt64?) {
    if !record.isTombstone {
      unsafe memory[count] = record.address
      count += 1
      weight += record.weight
    }
    guard let since else { return }
    let lsn = LeafContents.commitLSN(record)
    if lsn < since { return }
    newest = max(newest, lsn)
    unsafe memory[changedOffset + changedCount] = record.address
    changedCount += 1
    changedWeight += record.weight
  }

  /// Of a record that is committed.
  private static func commitLSN(_ record: Record) -> UInt64 {
    let word = record.version.load()
    if VersionWord.state(word) == VersionWord.committed { return VersionWord.body(word) }
    // A batch that is committed, and has not told its records yet.
    let commit = CommitDescriptor(address: VersionWord.body(word)).word.load()
    return VersionWord.body(commit)
  }

  /// Whether the changes may go behind the parts that the page has: fragments stay few, and together
  /// at most half of the base, of which at least half is of use. True when there are no changes; nil
  /// when a base is due.
  ///
  /// - Parameter isPartial: what the base has is not known.
  /// - Parameter isDamaged: the base cannot be read, so there will be no other.
  func fits(_ parts: PartList, isPartial: Bool, isDamaged: Bool) -> Bool? {
    if changedCount == 0 { return true }
    if isPartial && isDamaged { return parts.count < LeafDecoder.mostParts ? false : nil }
    if parts.count > LeafContents.mostFragments { return nil }
    // A base that has lost most of its entries would keep their space, and look too large to merge.
    if !isPartial && 2 * weight < parts.part(0).bytes { return nil }
    var bytes = changedWeight + PageFormat.recordHeaderBytes
    var index = 1
    while index < parts.count {
      bytes += parts.part(index).bytes
      index += 1
    }
    return 2 * bytes <= parts.part(0).bytes ? false : nil
  }

  func free() { unsafe memory.deallocate() }
}

extension BLinkTree {
  /// All records of a page. Pinned.
  func base(
    _ page: Page, _ leaf: Leaf, _ contents: LeafContents, _ lsn: UInt64, _ high: [UInt8]?,
    isMoved: Bool
  ) -> PendingImage {
    // The records live as long as the pin, which the caller holds.
    let bytes = unsafe LeafImage.encodeBase(
      tree: id, lsn: lsn, low: page.low, high: leaf.hasHigh ? leaf.high : nil,
      records: contents.records, count: contents.count, compression: compression,
      contexts: context.codecs)
    return PendingImage(
      isMoved: isMoved, high: high, lsn: lsn, entries: contents.count, bytes: bytes)
  }

  /// What changed since the newest of `former`. Pinned.
  func fragment(
    _ page: Page, _ contents: LeafContents, _ lsn: UInt64, _ high: [UInt8]?, _ former: PartList,
    isPartial: Bool
  ) -> PendingImage {
    // The records live as long as the pin, which the caller holds.
    let bytes = unsafe LeafImage.encodeFragment(
      tree: id, lsn: lsn, low: page.low, previous: former.newest, records: contents.changed,
      count: contents.changedCount, compression: compression, contexts: context.codecs)
    return PendingImage(
      isMoved: false, high: high, lsn: lsn,
      entries: isPartial ? EntryCount.inexact(former.entries) : contents.count, bytes: bytes,
      older: former.copy())
  }
}
