internal import Platform

/// What a branch remembers of a page's leaf, so that the leaf's cache lines are on their way before
/// the page's descriptor has said where it is. It may be out of date, and is never followed.
///
/// ```
/// BITS   DESCRIPTION
/// 0      regular: the keys in order lie nearly where their heads, taken as numbers, say
/// 4-47   address of the leaf
/// 48-63  its entries in key order
/// ```
/// Whoever finds another leaf than the hint says puts it right.
enum LeafHint {
  static let regular: UInt64 = 1
  /// Entries that are looked at on either side of where one should be: two cache lines, of three that
  /// are asked for. Of a regular leaf's entries most lie within, and all within thrice as many.
  static let reach = 8

  @inline(__always) static func count(_ hint: UInt64) -> Int { Int(hint >> 48) }
}

extension Branch {
  /// Asks for what a search for `key` will look at in the leaf of the page at `index`. Answers about
  /// where the key is among the leaf's entries in key order; negative when that is not known.
  @inline(__always)
  func approachLeaf(_ index: Int, _ key: ByteView) -> Int {
    let hint = hint(index).loadRelaxed()
    guard let base = unsafe UnsafeRawPointer(bitPattern: UInt(Leaf.record(hint))) else { return -1 }
    let next = index &+ 1
    if hint & LeafHint.regular == 0 || index == 0 || next == count {
      unsafe Leaf.prefetchHeads(base)
      return -1
    }
    let entries = LeafHint.count(hint)
    let (first, end) = unsafe (heads[index], heads[next])
    let head = key.head(at: prefixCount)
    let near = LeafHint.place(of: head &- first, in: end &- first, entries)
    if near < 0 {
      unsafe Leaf.prefetchHeads(base)
      return -1
    }
    unsafe prefetch(base)
    let line = unsafe base + (Leaf.headsOffset &+ 8 &* near)
    unsafe prefetch(line - 64)
    unsafe prefetch(line)
    unsafe prefetch(line + 64)
    let word = unsafe line + 8 &* entries
    unsafe prefetch(word - 64)
    unsafe prefetch(word)
    unsafe prefetch(word + 64)
    return near
  }

  /// Asks for all of the leaf of the page at `index`, if there is one, and for the page: for whoever
  /// reads one after another.
  func askForLeaf(_ index: Int) {
    if index >= count { return }
    let hint = hint(index).loadRelaxed()
    // The page's word and its low key.
    let page = unsafe UnsafeRawPointer(Page(address: node(index)).base)
    unsafe prefetchFar(page)
    unsafe prefetchFar(page + Page.lowOffset)
    guard let base = unsafe UnsafeRawPointer(bitPattern: UInt(Leaf.record(hint))) else { return }
    // Its length but for the keys, at most that of a leaf of ordinary size.
    let lines = min(64, (Leaf.headsOffset &+ 16 &* LeafHint.count(hint) &+ 8 &* 32 &+ 63) >> 6)
    var line = 0
    while line < lines {
      unsafe prefetchFar(base + 64 &* line)
      line &+= 1
    }
  }

  /// Asks for what of the leaf of the page at `index` lies behind an entry: heads, words, and those of what
  /// was appended.
  @inline(__always)
  func askForRest(_ index: Int, from near: Int) {
    let hint = hint(index).loadRelaxed()
    guard let base = unsafe UnsafeRawPointer(bitPattern: UInt(Leaf.record(hint))) else { return }
    let count = LeafHint.count(hint)
    let words = unsafe base + (Leaf.headsOffset &+ 8 &* count)
    var offset = 8 &* near
    while offset < 8 &* count &+ 8 &* 32 {
      unsafe prefetchFar(words + offset)
      offset &+= 64
    }
    offset = Leaf.headsOffset &+ 8 &* near
    while offset < Leaf.headsOffset &+ 8 &* count {
      unsafe prefetchFar(base + offset)
      offset &+= 64
    }
  }

  /// Remembers the leaf that the page at `index` was found with.
  @inline(__always)
  func note(_ leaf: Leaf, at index: Int) {
    let word = hint(index)
    if Leaf.record(word.loadRelaxed()) != leaf.address { word.storeRelaxed(LeafHint.of(leaf)) }
  }
}

extension LeafHint {
  /// About `count` times `part` by `whole`, at most `count`; negative when the part is not below the
  /// whole.
  @inline(__always)
  static func place(of part: UInt64, in whole: UInt64, _ count: Int) -> Int {
    if part >= whole { return -1 }
    // Both to 32 bits, the highest of the whole set: the product fits, and the divisor is not 0.
    let shift = UInt64(whole.leadingZeroBitCount)
    let (dividend, divisor) = ((part &<< shift) &>> 32, (whole &<< shift) &>> 32)
    return Int(dividend &* UInt64(count) / divisor)
  }

  @inline(never)
  static func of(_ leaf: Leaf) -> UInt64 {
    let count = leaf.sortedCount
    if count > 0xFFFF { return leaf.address }
    return leaf.address | UInt64(count) << 48 | (isRegular(leaf, count) ? regular : 0)
  }

  /// Looks at every eighth entry or so.
  private static func isRegular(_ leaf: Leaf, _ count: Int) -> Bool {
    if count < 4 * reach { return false }
    let heads = unsafe leaf.heads
    let (first, last) = unsafe (heads[0], heads[count - 1])
    var index = reach
    while index < count - 1 {
      let found = unsafe place(of: heads[index] &- first, in: last &- first, count)
      if found < 0 || abs(found - index) > 2 * reach { return false }
      index += reach
    }
    return true
  }
}
