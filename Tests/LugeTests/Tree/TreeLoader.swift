import Platform

@testable import Luge

/// Builds a tree from what a checkpoint says of its pages, in key order. No page is read: each
/// comes into memory when it is needed. Single-threaded; the tree serves nobody yet.
struct TreeLoader: ~Copyable {
  private let id: UInt64
  private let context: TreeContext
  private var pages: [Page] = []
  private var lastLow: [UInt8] = []
  private var count: UInt64 = 0

  init(id: UInt64, context: TreeContext) {
    self.id = id
    self.context = context
  }

  /// Adds the next page. Throws `.corruption` when its low key is not above the one before, or the
  /// first one's not empty.
  mutating func append(
    low: [UInt8], _ parts: [PagePart], lsn: UInt64, entries: UInt64
  ) throws(LugeError) {
    guard pages.isEmpty ? low.isEmpty : compareKeys(lastLow, low) < 0 else {
      throw LugeError(
        .corruption, "the pages of tree \(id) do not follow each other",
        found: "page \(pages.count)"
      )
    }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let list = PartList.build(pin, lsn: lsn, entries: Int(entries), parts, values: SegmentBytes())
    // The array outlives the closure, which copies from it.
    let page = unsafe low.withUnsafeBytes { unsafe Page.build(pin, low: ByteView($0), parts: list) }
    pages.append(page)
    lastLow = low
    count += entries
  }

  /// The tree; an empty one when there is no page.
  mutating func finish() throws(LugeError) -> BLinkTree {
    if pages.isEmpty { return try BLinkTree(id: id, context: context) }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    let tree = BLinkTree(id: id, context: context, pages: pages, count: count, pin)
    pages = []
    return tree
  }

  /// Frees what was loaded when the tree is not to be: after an error.
  mutating func abandon() throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    for page in pages { page.free(pin) }
    pages = []
  }
}
