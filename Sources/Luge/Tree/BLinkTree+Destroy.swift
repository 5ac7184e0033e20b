internal import Platform

extension BLinkTree {
  /// Frees everything that the tree holds. No operation runs any more: after `setState` and
  /// `waitForQuiescence`, or when the database goes. Afterwards operations still throw as its state
  /// says. Twice is harmless. Records that callers still look at stay until they let go.
  func destroy() throws(LugeError) {
    // No operation runs, so no record of this tree gets a hazard from here on.
    let hazards = try context.epochs.hazards()
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if index.load() == 0 { return }
    // Whatever the caller did, nothing looks at the pages from here on.
    if isOpen { setState(.closed) }
    var page = firstPage
    while true {
      let leaf = page.leaf
      let right = leaf.right
      var index = 0
      while index < leaf.wordCount {
        var address = Leaf.record(leaf.word(index).load())
        while address != 0 {
          let record = Record(address: address)
          address = record.predecessor.load()
          if hazards.contains(record.address) { record.retire(pin) } else { record.free(pin) }
        }
        index += 1
      }
      leaf.free(pin)
      page.free(pin)
      if right == 0 { break }
      page = Page(address: right)
    }
    TreeIndex(address: index.exchange(0)).free(pin)
  }
}
