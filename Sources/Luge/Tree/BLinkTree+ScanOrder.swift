internal import Platform

// Scans sort what was appended to a leaf, each anew, and fetch records for it that they may not want. So
// the second one that finds much to sort puts the leaf in order for those to come: it rebuilds it, as a
// writer would that finds no append word free. Not the first: most leaves of a large tree are scanned
// once, and a rebuild costs some three times as much as to sort.
//
// The scan has taken what it wants from the former leaf by then, whose settled words its snapshot knows.

extension Leaf {
  /// Whether a scan came by before that had much to sort, too. If not, remembers that one did.
  @inline(__always)
  var isOftenSorted: Bool {
    // A quarter of the words: 8 of 32. They fill in order.
    let many = (appendCount &+ 3) >> 2
    if isAscending || Leaf.record(word(sortedCount &+ many &- 1).load()) == 0 { return false }
    return flags.loadRelaxed() & Leaf.scanned != 0 || isSortedAgain()
  }

  /// How many append words there are in a leaf of as many bytes, beside so many in key order.
  func appendWords(besides count: Int) -> Int {
    let rest = size &- Leaf.headsOffset &- 16 &- prefix.count &- (hasHigh ? high.count : 0)
    return (rest &- 16 &* count) / 8
  }

  @inline(never)
  private func isSortedAgain() -> Bool { flags.fetchOr(Leaf.scanned) & Leaf.scanned != 0 }
}

extension BLinkTree {
  /// Rebuilds a leaf with everything in key order, unless it would come apart.
  @inline(never)
  func putInOrder(_ page: Page, _ leaf: Leaf, _ pin: Pin) {
    // To split it is up to who adds more.
    if leaf.isHeavy(context.settings) { return }
    let most = context.settings.leafEntries
    if most < leaf.wordCount && Leaf.record(leaf.word(most).load()) != 0 { return }
    probe("tree.scanOrdered")
    // The rebuild looks at each record's start. Asked for one after the other they come at once; the scan
    // is to read them next. (For what was appended `consolidate` asks itself.)
    var index = 0
    while index < leaf.sortedCount {
      let record = Leaf.record(leaf.word(index).load())
      if let start = unsafe UnsafeRawPointer(bitPattern: UInt(record)) {
        unsafe Platform.prefetch(start)
      }
      index &+= 1
    }
    // The scan goes on whatever becomes of this: a leaf left frozen is rebuilt by the next writer.
    // With as many bytes as before: they take the place of another leaf that was put in order, where
    // those of another size class would come on top.
    try? consolidate(page, leaf, pin, keepingSize: true)
  }
}
