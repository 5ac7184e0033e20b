internal import Platform

extension BLinkTree {
  /// Frees everything that the tree holds. No operation runs any more: after `setState` and
  /// `waitForQuiescence`, or when the database goes. What a cursor or a value view holds is freed
  /// later. Afterwards operations still throw as its state says. Twice is harmless.
  func destroy() throws(LugeError) {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if index.load() == 0 { return }
    // Whatever the caller did, nothing looks at the pages from here on.
    if isOpen { setState(.closed) }
    // No reader can find another record of this tree from here on.
    pin.withHeldFilter { destroy(pin, $0) }
    TreeIndex(address: index.exchange(0)).free(pin)
  }

  private func destroy(_ pin: Pin, _ held: HeldFilter) {
    var page = firstPage
    while true {
      let leaf = page.leaf
      let right = leaf.right
      var index = 0
      while index < leaf.wordCount {
        var address = Leaf.record(leaf.word(index).load())
        while address != 0 {
          let record = Record(address: address)
          address = record.beneath
          if held.contains(record.address) { record.retire(pin) } else { record.free(pin) }
        }
        index += 1
      }
      leaf.free(pin)
      page.free(pin)
      if right == 0 { break }
      page = Page(address: right)
    }
  }
}
