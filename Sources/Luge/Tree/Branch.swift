internal import Platform

/// The way from a key to a node of the level below: an immutable array of nodes in the order of
/// their low keys, replaced as a whole. The root of a tree is a branch over chunks, and a chunk has
/// one over pages.
///
/// ```
/// OFFSET SIZE DESCRIPTION
///      0    4 n, nodes, at least 1
///      4    4 p, length of the prefix that the low keys share, the first node's excepted
///      8    8 the first eight bytes of the prefix, big-endian, zeros for missing ones
///     16  8*n heads: eight bytes of each low key after the prefix; 0 for the first
///       + 8*n addresses of the nodes, by ascending low key
///       + 8*n over pages: what leaf each was last seen with (`LeafHint`), or 0
/// ```
/// Invariants: low keys ascend; the first node stands for all keys below the second, so every key
/// has a node. Only hints ever change.
///
/// Safe for the same reason as a leaf: pinned use of what epochs reclaim.
@safe struct Branch: Equatable {
  let base: UnsafeMutableRawPointer

  private static let headsOffset = 16

  @inline(__always)
  init(address: UInt64) {
    unsafe base = UnsafeMutableRawPointer(bitPattern: UInt(address)).unsafelyUnwrapped
  }

  @inline(__always) var address: UInt64 { unsafe UInt64(UInt(bitPattern: base)) }

  static func == (left: Branch, right: Branch) -> Bool { unsafe left.base == right.base }

  @inline(__always)
  var count: Int { unsafe Int(base.load(as: UInt32.self)) }

  @inline(__always)
  var prefixCount: Int { unsafe Int(base.load(fromByteOffset: 4, as: UInt32.self)) }

  private static func size(_ count: Int) -> Int { headsOffset + nodeBytes * count }
  /// Of each node.
  static let nodeBytes = 24

  /// See `Page.indexBytes`; of all pages of a branch over pages.
  var indexBytes: Int {
    var sum = 0
    var index = 0
    while index < count {
      sum += Page(address: node(index)).indexBytes
      index += 1
    }
    return sum
  }

  @inline(__always)
  var heads: UnsafeMutablePointer<UInt64> {
    unsafe (base + Branch.headsOffset).assumingMemoryBound(to: UInt64.self)
  }

  /// The address of a node, with index below `count`.
  @inline(__always)
  func node(_ index: Int) -> UInt64 {
    unsafe heads[count &+ index]
  }

  /// What is known of the leaf of a page, with index below `count`.
  @inline(__always)
  func hint(_ index: Int) -> WordRef {
    unsafe WordRef(base, Branch.headsOffset &+ 16 &* count &+ 8 &* index)
  }

  @inline(__always)
  func low(_ index: Int) -> ByteView { IndexNode.low(address: node(index)) }

  /// The number of nodes whose low key is at or below `key`, or below it when `strictly`; at least
  /// 1.
  @inline(__always)
  func position(_ key: ByteView, strictly: Bool = false) -> Int {
    let count = count
    if count == 1 { return 1 }
    let length = prefixCount
    if length > 0 {
      let start = unsafe base.load(fromByteOffset: 8, as: UInt64.self)
      if !key.hasPrefix(start, length) {
        let order = comparePrefix(key, unsafe ByteView(low(1).base, count: length))
        if order < 0 { return 1 }
        if order > 0 { return count }
      }
    }
    let head = key.head(at: length)
    let first = unsafe 1 &+ lowerBound(heads + 1, count &- 1, head)
    if unsafe first == count || heads[first] != head { return first }
    return positionAmongEqual(key, head, first, strictly)
  }

  @inline(never)
  private func positionAmongEqual(
    _ key: ByteView, _ head: UInt64, _ first: Int, _ strictly: Bool
  ) -> Int {
    let count = count
    let after = first &+ 1
    if unsafe after == count || heads[after] != head {
      // The only one: so it is for whoever goes from one page to the next by its low key.
      let order = ByteView.compare(low(first), key)
      return order < 0 || (order == 0 && !strictly) ? after : first
    }
    var lower = first
    // The end of the equal heads: the first above, unless there is no number above.
    var upper =
      head == .max ? count : unsafe first &+ lowerBound(heads + first, count &- first, head &+ 1)
    while lower < upper {
      let middle = (lower &+ upper) >> 1
      let order = ByteView.compare(low(middle), key)
      if order < 0 || (order == 0 && !strictly) { lower = middle &+ 1 } else { upper = middle }
    }
    return lower
  }

  /// The address of the last node whose low key is at or below `key`.
  @inline(__always)
  func find(_ key: ByteView) -> UInt64 { node(position(key) &- 1) }

  /// A branch over nodes that ascend by low key; at least one.
  @unsafe
  static func build(_ pin: Pin, _ nodes: UnsafePointer<UInt64>, count: Int) -> Branch {
    let branch = allocate(pin, count)
    unsafe (branch.heads + count).update(from: nodes, count: count)
    branch.makeHeads()
    return branch
  }

  private static func allocate(_ pin: Pin, _ count: Int) -> Branch {
    let base = unsafe pin.allocate(size(count))
    unsafe base.storeBytes(of: UInt32(count), as: UInt32.self)
    let hints = unsafe base + headsOffset + 16 * count
    unsafe hints.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * count)
    return Branch(address: UInt64(UInt(bitPattern: base)))
  }

  private func makeHeads() {
    let count = count
    let length = count > 1 ? ByteView.commonPrefix(low(1), low(count - 1)) : 0
    setPrefix(length)
    unsafe heads[0] = 0
    var index = 1
    while index < count {
      unsafe heads[index] = low(index).head(at: length)
      index += 1
    }
  }

  /// Says what the low keys share, the first one's excepted. The nodes are there.
  private func setPrefix(_ length: Int) {
    unsafe base.storeBytes(of: UInt32(length), toByteOffset: 4, as: UInt32.self)
    let start = length == 0 ? 0 : unsafe ByteView(low(1).base, count: length).head(at: 0)
    unsafe base.storeBytes(of: start, toByteOffset: 8, as: UInt64.self)
  }

  /// A branch over some of the nodes: those from `first` to before `end`.
  func slice(_ first: Int, _ end: Int, _ pin: Pin) -> Branch {
    unsafe Branch.build(pin, heads + count + first, count: end - first)
  }

  /// A copy with one more node at index `place`, from 1 to `count`, whose low key belongs there.
  /// The node before it becomes `former`.
  func adding(_ node: UInt64, at place: Int, after former: UInt64, _ pin: Pin) -> Branch {
    let count = count
    let grown = Branch.allocate(pin, count + 1)
    let (old, new) = unsafe (heads + count, grown.heads + count + 1)
    unsafe new.update(from: old, count: place)
    unsafe new[place - 1] = former
    unsafe new[place] = node
    unsafe (new + place + 1).update(from: old + place, count: count - place)
    var index = 0
    while index < count {
      grown.hint(index < place ? index : index + 1).storeRelaxed(hint(index).loadRelaxed())
      index += 1
    }
    let length = prefixCount
    let key = IndexNode.low(address: node)
    let fits =
      count > 1 && key.count >= length
      && comparePrefix(key, unsafe ByteView(low(1).base, count: length)) == 0
    let outer = ByteView.commonPrefix(grown.low(1), grown.low(count))
    guard fits, outer == length else {
      grown.makeHeads()
      return grown
    }
    grown.setPrefix(length)
    unsafe grown.heads.update(from: heads, count: place)
    unsafe grown.heads[place] = key.head(at: length)
    unsafe (grown.heads + place + 1).update(from: heads + place, count: count - place)
    return grown
  }

  /// A copy without the node at index `place`, which is not the only one.
  func removing(_ place: Int, _ pin: Pin) -> Branch {
    let count = count
    let shrunk = Branch.allocate(pin, count - 1)
    let (old, new) = unsafe (heads + count, shrunk.heads + count - 1)
    unsafe new.update(from: old, count: place)
    unsafe (new + place).update(from: old + place + 1, count: count - 1 - place)
    shrunk.makeHeads()
    return shrunk
  }

  /// A copy with one node in the place of two, those at index `place` and after.
  func joining(_ place: Int, into node: UInt64, _ pin: Pin) -> Branch {
    let count = count
    let shrunk = Branch.allocate(pin, count - 1)
    let (old, new) = unsafe (heads + count, shrunk.heads + count - 1)
    unsafe new.update(from: old, count: place)
    unsafe new[place] = node
    unsafe (new + place + 1).update(from: old + place + 2, count: count - 2 - place)
    shrunk.makeHeads()
    return shrunk
  }

  /// The nodes of two branches, the second's above the first's.
  static func union(_ left: Branch, _ right: Branch, _ pin: Pin) -> Branch {
    let branch = allocate(pin, left.count + right.count)
    let nodes = unsafe branch.heads + branch.count
    unsafe nodes.update(from: left.heads + left.count, count: left.count)
    unsafe (nodes + left.count).update(from: right.heads + right.count, count: right.count)
    branch.makeHeads()
    return branch
  }

  func retire(_ pin: Pin) { unsafe pin.retire(base, Branch.size(count)) }
  func free(_ pin: Pin) { unsafe pin.free(base, Branch.size(count)) }
}
