internal import Platform

/// What a page's word says, in its three lowest bits.
///
/// ```
/// BITS 0-2  THE REST
///        0  resident: address of the leaf
///        1  evicted: PageAddress of the newest part of the image
///        2  loading: the same; some thread reads the parts
///        3  leaving: address of the leaf, which is being merged into its left neighbour
///        4  removed: it was merged, and is about to leave the index
///        5  sealed: it was evicted, and its chunk is about to be
/// ```
/// Leaves are aligned to 16 and records of page segments to 8, so the bits are free.
enum PageWord {
  static let tagMask: UInt64 = 7
  static let resident: UInt64 = 0
  static let evicted: UInt64 = 1
  static let loading: UInt64 = 2
  static let leaving: UInt64 = 3
  static let removed: UInt64 = 4
  static let sealed: UInt64 = 5

  @inline(__always) static func tag(_ word: UInt64) -> UInt64 { word & tagMask }
  @inline(__always) static func body(_ word: UInt64) -> UInt64 { word & ~tagMask }
}

/// A page: what stays the same while its leaves come and go. Never moves.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 word: see `PageWord`
///      8    4 l, length of the low key
///     12    4 80
///     16    8 claim: 1 while some thread writes the page out, evicts it, moves or removes it
///     24    8 address of the PartList: what of the page is on disk; 0 when nothing is
///     32    8 W: redo records of the page below it are in the image that its records came from
///     40    8 the tree it belongs to, for whoever evicts it; 0 until it is published
///     48   24 the cache's words (CacheLink)
///     72    8 when it was last looked for and not in memory (`PageCache.misses`), or 0: not since
///             it was written
///     80    l low key: no key of the page is below it, for ever
/// ```
/// Invariants:
/// - The word is changed by compare-and-swap. A page is evicted only while its right neighbour, if
///   the index lacks it, has been posted: so the high key of an evicted page is the low key of the
///   page that follows it in the index.
/// - Parts and W change only under the claim and while the page is resident, or before the page is
///   published. So they belong to an evicted page's word for as long as that is the same.
///
/// Safe because a page is used during a pin that began while it was reachable; or under its claim
/// or while it is `loading` by the thread that made it so, and neither is freed.
@safe struct Page: Equatable, Sendable {
  // The address never changes; what it points to is words and bytes that never change.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer

  static let lowOffset = CacheLink.end + 8

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Page, right: Page) -> Bool { unsafe left.base == right.base }

  @inline(__always) var word: WordRef { unsafe WordRef(base, 0) }
  /// The leaf, while it is resident.
  @inline(__always) var leaf: Leaf? {
    let word = word.load()
    return PageWord.tag(word) == PageWord.resident ? Leaf(address: word) : nil
  }

  private var claim: WordRef { unsafe WordRef(base, 16) }
  private var partsWord: WordRef { unsafe WordRef(base, 24) }
  var imageLSN: WordRef { unsafe WordRef(base, 32) }
  var owner: WordRef { unsafe WordRef(base, 40) }
  var missed: WordRef { unsafe WordRef(base, CacheLink.end) }

  @inline(__always)
  var low: ByteView { unsafe IndexNode.low(base) }

  private var size: Int { (Page.lowOffset + low.count + 7) & ~7 }

  /// What the page takes in memory while its leaf is on disk, with a list of one part and its place in a
  /// branch: bytes, the same for as long as it lives.
  var indexBytes: Int { size + PartList.leastBytes + Branch.nodeBytes }

  /// What of the page is on disk; nil when nothing is.
  var parts: PartList? {
    let address = partsWord.load()
    return address == 0 ? nil : PartList(address: address)
  }

  /// Under the claim. The former list is retired; answers what was in it, to be released.
  func setParts(_ new: PartList, _ pin: Pin) -> [PagePart] {
    let address = partsWord.exchange(new.address)
    imageLSN.store(new.lsn)
    missed.store(0)
    if address == 0 { return [] }
    let former = PartList(address: address)
    former.retire(pin)
    return former.copy()
  }

  /// Takes the page's I/O claim if it is free. Who fails tries again later, unpinned.
  func tryClaim() -> Bool { claim.load() == 0 && claim.compareExchange(expected: 0, desired: 1) }

  /// Whether somebody writes the page out, moves or evicts it.
  var isClaimed: Bool { claim.load() != 0 }

  func releaseClaim() { claim.store(0) }

  /// A page that nobody else knows yet. `imageLSN`: of the image that its records came from.
  static func build(_ pin: Pin, low: ByteView, word: UInt64, imageLSN: UInt64) -> Page {
    let base = unsafe pin.allocate((lowOffset + low.count + 7) & ~7)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: lowOffset)
    unsafe WordRef.initialize(base, 0, word)
    unsafe WordRef.initialize(base, 32, imageLSN)
    unsafe IndexNode.setLow(base, low, at: lowOffset)
    return Page(address: UInt64(UInt(bitPattern: base)))
  }

  /// A page of which nothing is in memory, found in a checkpoint.
  static func build(_ pin: Pin, low: ByteView, parts: PartList) -> Page {
    let page = build(
      pin, low: low, word: parts.newest.rawValue | PageWord.evicted, imageLSN: parts.lsn)
    page.partsWord.store(parts.address)
    return page
  }

  /// Of an evicted page: nobody comes to it any more.
  func retire(_ pin: Pin) {
    parts?.retire(pin)
    unsafe pin.retire(base, size)
  }

  /// Frees a page that was never published, or whose tree is gone. Its leaf stays.
  func free(_ pin: Pin) {
    parts?.free(pin)
    unsafe pin.free(base, size)
  }
}
