internal import Platform

/// The way from a key to a page: an immutable array over all pages whose separators have been
/// posted, replaced as a whole. (A simple stand-in for inner nodes.)
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    4 n, pages, at least 1
///      4    4 p, length of the prefix that the low keys share, the first page's excepted
///      8  8*n heads: eight bytes of each low key after the prefix; 0 for the first
///       + 8*n addresses of the pages, by ascending low key
/// ```
/// Invariants: the first page's low key is empty, so every key has a page; a page that is missing
/// is reached through the right links from the one before.
///
/// Safe for the same reason as a leaf: pinned use of what epochs reclaim.
@safe struct TreeIndex: Equatable {
  private let base: UnsafeMutableRawPointer

  private static let headsOffset = 8

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  static func == (left: TreeIndex, right: TreeIndex) -> Bool { unsafe left.base == right.base }

  @inline(__always)
  var count: Int { unsafe Int(base.load(as: UInt32.self)) }

  @inline(__always)
  private var prefixCount: Int { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }

  private static func size(_ count: Int) -> Int { headsOffset + 16 * count }

  @inline(__always)
  private var heads: UnsafeMutablePointer<UInt64> {
    unsafe (base + TreeIndex.headsOffset).assumingMemoryBound(to: UInt64.self)
  }

  @inline(__always)
  func page(_ index: Int) -> Page {
    unsafe Page(address: heads[count &+ index])
  }

  /// The number of pages whose low key is at or below `key`, or below it when `strictly`; at least
  /// 1.
  @inline(__always)
  func position(_ key: ByteView, strictly: Bool = false) -> Int {
    let count = count
    if count == 1 { return 1 }
    let length = prefixCount
    if length > 0 {
      let order = comparePrefix(key, unsafe ByteView(page(1).low.base, count: length))
      if order < 0 { return 1 }
      if order > 0 { return count }
    }
    let head = key.head(at: length)
    let first = unsafe 1 &+ lowerBound(heads + 1, count &- 1, head)
    if unsafe first == count || heads[first] != head { return first }
    return positionAmongEqual(key, head, first, strictly)
  }

  private func positionAmongEqual(
    _ key: ByteView, _ head: UInt64, _ first: Int, _ strictly: Bool
  ) -> Int {
    let count = count
    var low = first
    // The end of the equal heads: the first above, unless there is no number above.
    var high =
      head == .max ? count : unsafe first &+ lowerBound(heads + first, count &- first, head &+ 1)
    while low < high {
      let middle = (low &+ high) >> 1
      let order = ByteView.compare(page(middle).low, key)
      if order < 0 || (order == 0 && !strictly) { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  /// The last posted page whose low key is at or below `key`.
  @inline(__always)
  func find(_ key: ByteView) -> Page { page(position(key) &- 1) }

  /// An index over pages that ascend by low key.
  @unsafe
  static func build(_ pin: Pin, _ pages: UnsafePointer<UInt64>, count: Int) -> TreeIndex {
    let index = allocate(pin, count)
    unsafe (index.heads + count).update(from: pages, count: count)
    index.makeHeads()
    return index
  }

  private static func allocate(_ pin: Pin, _ count: Int) -> TreeIndex {
    let base = unsafe pin.allocate(size(count))
    unsafe base.storeBytes(of: UInt32(count), as: UInt32.self)
    return TreeIndex(address: UInt64(UInt(bitPattern: base)))
  }

  private func makeHeads() {
    let count = count
    let length = count > 1 ? ByteView.commonPrefix(page(1).low, page(count - 1).low) : 0
    unsafe base.storeBytes(of: UInt32(length), toByteOffset: 4, as: UInt32.self)
    unsafe heads[0] = 0
    var index = 1
    while index < count {
      unsafe heads[index] = page(index).low.head(at: length)
      index += 1
    }
  }

  /// A copy with one more page, at its place; nil when it is there already.
  func adding(_ page: Page, _ pin: Pin) -> TreeIndex? {
    let count = count
    let place = position(page.low)
    if self.page(place - 1) == page { return nil }
    let grown = TreeIndex.allocate(pin, count + 1)
    let (old, new) = unsafe (heads + count, grown.heads + count + 1)
    unsafe new.update(from: old, count: place)
    unsafe new[place] = page.address
    unsafe (new + place + 1).update(from: old + place, count: count - place)
    let length = prefixCount
    let fits =
      count > 1 && page.low.count >= length
      && comparePrefix(page.low, unsafe ByteView(self.page(1).low.base, count: length)) == 0
    let outer = ByteView.commonPrefix(grown.page(1).low, grown.page(count).low)
    guard fits, outer == length else {
      grown.makeHeads()
      return grown
    }
    unsafe grown.base.storeBytes(of: UInt32(length), toByteOffset: 4, as: UInt32.self)
    unsafe grown.heads.update(from: heads, count: place)
    unsafe grown.heads[place] = page.low.head(at: length)
    unsafe (grown.heads + place + 1).update(from: heads + place, count: count - place)
    return grown
  }

  func retire(_ pin: Pin) { unsafe pin.retire(base, TreeIndex.size(count)) }
  func free(_ pin: Pin) { unsafe pin.free(base, TreeIndex.size(count)) }
}
