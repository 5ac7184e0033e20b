internal import Platform

/// A page: what stays the same while its leaves come and go. Never moves, never freed before its
/// tree is, so it may be held without a pin.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    8 word: address of the leaf
///      8    4 l, length of the low key
///     12    4 48
///     16    8 disk address of the last image, 0 when there is none
///     24    8 W of the last image: redo records below it are in the image
///     32    8 entries in the last image
///     40    8 bytes of the last image
///     48    l low key: no key of the page is below it, for ever
/// ```
/// Invariants: the word always has a leaf whose keys are at or above the low key; disk address, W
/// and entries are written by the checkpoint alone, or by loading and replay before the tree
/// serves.
///
/// Safe because pages live as long as their tree.
@safe struct Page: Equatable, Sendable {
  // The address never changes; what it points to is words and bytes that never change.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer

  static let lowOffset = 48

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  @inline(__always)
  static func == (left: Page, right: Page) -> Bool { unsafe left.base == right.base }

  @inline(__always) var word: WordRef { unsafe WordRef(base, 0) }
  @inline(__always) var leaf: Leaf { Leaf(address: word.load()) }
  var diskAddress: WordRef { unsafe WordRef(base, 16) }
  var imageLSN: WordRef { unsafe WordRef(base, 24) }
  var imageEntries: WordRef { unsafe WordRef(base, 32) }
  var imageBytes: WordRef { unsafe WordRef(base, 40) }

  @inline(__always)
  var low: ByteView { unsafe IndexNode.low(base) }

  private var size: Int { (Page.lowOffset + low.count + 7) & ~7 }

  /// A page that nobody else knows yet.
  static func build(_ pin: Pin, low: ByteView, leaf: Leaf, imageLSN: UInt64) -> Page {
    let base = unsafe pin.allocate((lowOffset + low.count + 7) & ~7)
    unsafe WordRef.initialize(base, 0, leaf.address)
    unsafe WordRef.initialize(base, 16, 0)
    unsafe WordRef.initialize(base, 24, imageLSN)
    unsafe WordRef.initialize(base, 32, 0)
    unsafe WordRef.initialize(base, 40, 0)
    unsafe IndexNode.setLow(base, low, at: lowOffset)
    return Page(address: UInt64(UInt(bitPattern: base)))
  }

  /// Frees a page that was never published, or whose tree is gone. Its leaf stays.
  func free(_ pin: Pin) { unsafe pin.free(base, size) }
}
