internal import Platform

extension BLinkTree {
  /// Everything that is wrong with a quiet tree, in words; empty when nothing is. Pages in what is
  /// not in memory; a page that cannot be read is a problem too.
  func checkInvariants() throws(LugeError) -> [String] {
    var problems: [String] = []
    // After `destroy` there is nothing to look at.
    if root.load() == 0 { return problems }
    try makeCountExact(closedToo: true)
    try checkIndexPinned(&problems)
    if !problems.isEmpty { return problems }
    var live: UInt64 = 0
    var number = 0
    var next: [UInt8]? = []
    while let key = next {
      do throws(LugeError) {
        guard let found = try checkPage(key, "page \(number)", &problems) else {
          try pageIn(key)
          continue
        }
        live += found.live
        next = found.next
      } catch {
        if error.code != .corruption { throw error }
        problems.append("page \(number): \(error)")
        return problems
      }
      number += 1
    }
    if live != count { problems.append("count is \(count), entries are \(live)") }
    return problems
  }

  /// Checks the page that begins at `low`. Nil when it is not in memory.
  private func checkPage(
    _ low: [UInt8], _ name: String, _ problems: inout [String]
  ) throws(LugeError) -> (live: UInt64, next: [UInt8]?)? {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    // The array outlives the closure; nothing in it is kept.
    let found = unsafe low.withUnsafeBytes { unsafe descend(ByteView($0), pin) }
    guard let (page, resident) = found, let leaf = resident else { return nil }
    if page.low.copy() != low {
      problems.append("\(name): its low key is not the high key before it")
    }
    if leaf.hasHigh && ByteView.compare(page.low, leaf.high) >= 0 {
      problems.append("\(name): its low key is not below its high key")
      return (0, nil)
    }
    let live = checkLeaf(leaf, page, name, pin, &problems)
    return (live, leaf.hasHigh ? leaf.high.copy() : nil)
  }

  private func checkIndexPinned(_ problems: inout [String]) throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    checkIndex(&problems)
  }

  /// Root and chunks: afterwards it is safe to walk along the pages.
  private func checkIndex(_ problems: inout [String]) {
    let root = Branch(address: root.load())
    checkBranch(root, "root", &problems)
    if root.low(0).count != 0 { problems.append("the first chunk has a low key") }
    var index = 0
    while index < root.count {
      let chunk = Chunk(address: root.node(index))
      index += 1
      let word = chunk.word.load()
      // One that is not in memory is checked when it comes.
      if !ChunkWord.hasBranch(word) { continue }
      let branch = ChunkWord.branch(word)
      checkBranch(branch, "chunk \(index - 1)", &problems)
      if !(branch.low(0) == chunk.low) {
        problems.append("chunk \(index - 1): it does not begin with its first page")
      }
      let last = branch.low(branch.count - 1)
      if index < root.count && ByteView.compare(last, root.low(index)) >= 0 {
        problems.append("chunk \(index - 1): its last page is not below the next chunk")
      }
    }
  }

  private func checkBranch(_ branch: Branch, _ name: String, _ problems: inout [String]) {
    var place = 1
    while place < branch.count {
      if ByteView.compare(branch.low(place - 1), branch.low(place)) >= 0 {
        problems.append("\(name): low keys \(place - 1) and \(place) do not ascend")
      }
      if branch.position(branch.low(place)) != place + 1 {
        problems.append("\(name): low key \(place) does not find its own node")
      }
      if branch.position(branch.low(place), strictly: true) != place {
        problems.append("\(name): low key \(place) does not find what lies below it")
      }
      place += 1
    }
  }

  /// Checks one leaf; returns how many entries it has.
  private func checkLeaf(
    _ leaf: Leaf, _ page: Page, _ name: String, _ pin: Pin, _ problems: inout [String]
  ) -> UInt64 {
    var live: UInt64 = 0
    var ended = false
    // Whoever froze a leaf may have failed before it was replaced; the next to meet it helps. But
    // words freeze in order.
    var isThawed = false
    var index = 0
    while index < leaf.wordCount {
      let word = leaf.word(index).load()
      let address = Leaf.record(word)
      if address == 0 {
        if index < leaf.sortedCount { problems.append("\(name): entry \(index) has no record") }
        ended = true
        index += 1
        continue
      }
      if ended { problems.append("\(name): append word \(index) is taken after an empty one") }
      if word & Leaf.frozen == 0 { isThawed = true }
      if word & Leaf.frozen != 0 && isThawed {
        problems.append("\(name): word \(index) is frozen, and one before it is not")
      }
      let key = Record(address: address).key
      checkKey(key, index, leaf, page, name, &problems)
      if presentValue(visible(address, leaf, pin).record) != nil { live += 1 }
      index += 1
    }
    checkOrder(leaf, name, &problems)
    return live
  }

  private func checkKey(
    _ key: ByteView, _ index: Int, _ leaf: Leaf, _ page: Page, _ name: String,
    _ problems: inout [String]
  ) {
    if ByteView.compare(key, page.low) < 0 {
      problems.append("\(name): key \(index) is below the low key")
    }
    if leaf.isBelow(key) { problems.append("\(name): key \(index) is not below the high key") }
    if leaf.locate(key).index != index {
      problems.append("\(name): key \(index) is found elsewhere")
    }
    let word = leaf.word(index).load()
    if word & Leaf.settled != 0 {
      let record = Record(address: Leaf.record(word))
      if !record.isPlain || record.predecessor.load() != 0
        || context.commitLSN(record).map({ lsn in lsn >= leaf.settledBelow }) ?? true
        || index >= leaf.sortedCount
      {
        problems.append("\(name): word \(index) is not settled")
      }
    }
    if index < leaf.sortedCount {
      let head = unsafe leaf.heads[index]
      if comparePrefix(key, leaf.prefix) != 0 || head != key.head(at: leaf.prefix.count) {
        problems.append("\(name): prefix and head of key \(index) are not the key's")
      }
    }
  }

  private func checkOrder(_ leaf: Leaf, _ name: String, _ problems: inout [String]) {
    let order = LeafOrder(leaf)
    defer { order.free() }
    var index = 1
    while index < order.count {
      if ByteView.compare(order.key(index - 1), order.key(index)) >= 0 {
        problems.append("\(name): keys \(index - 1) and \(index) do not ascend")
      }
      index += 1
    }
  }
}
