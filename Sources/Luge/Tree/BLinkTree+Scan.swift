internal import Platform

// Scans. A step copies what is visible in one leaf and ends where that leaf ends: at its high key
// going up, at its page's low key going down. The next step starts there with a new descent, so
// whatever splits in between, no key is met twice and none that is there throughout is passed over.

extension BLinkTree {
  /// The entries from `bound` upwards that one leaf has, at most `limit` (at least 1) of them.
  func scanUp(
    from bound: ScanBound, limit: Int = .max, withValues: Bool = true
  ) throws(LugeError) -> ScanStep {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    let start = bound.key ?? []
    // The array outlives the closure; nothing in it is kept.
    return unsafe start.withUnsafeBytes {
      let key = unsafe ByteView($0)
      let leaf = descend(key, pin).leaf
      let order = LeafOrder(leaf)
      defer { order.free() }
      let first = order.firstIndex(atOrAbove: key, after: bound.isExclusive)
      let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: order.count + 1)
      defer { unsafe scratch.deallocate() }
      var found = 0
      var index = first
      while index < order.count && found < limit {
        let address = visible(order.address(index), leaf, pin).record
        if address != 0 && !Record(address: address).isTombstone {
          unsafe scratch[found] = address
          found += 1
        }
        index += 1
      }
      let run = unsafe LeafRun(copying: scratch, count: found, withValues: withValues)
      if index < order.count {
        return ScanStep(run: run, next: .exclusive(order.key(index - 1).copy()))
      }
      return ScanStep(run: run, next: leaf.hasHigh ? .inclusive(leaf.high.copy()) : nil)
    }
  }

  /// The entries from `bound` downwards that one leaf has, at most `limit` (at least 1) of them;
  /// the run is in ascending order all the same.
  func scanDown(
    from bound: ScanBound, limit: Int = .max, withValues: Bool = true
  ) throws(LugeError) -> ScanStep {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    try checkOpen()
    let start = bound.key ?? []
    // The array outlives the closure; nothing in it is kept.
    return unsafe start.withUnsafeBytes {
      let key = unsafe ByteView($0)
      let (page, leaf) = lastLeaf(bound, key, pin)
      let order = LeafOrder(leaf)
      defer { order.free() }
      var end = order.count
      if bound != .unbounded {
        end = order.firstIndex(atOrAbove: key, after: !bound.isExclusive)
      }
      // Filled from the back, so that the run ascends.
      let scratch = UnsafeMutablePointer<UInt64>.allocate(capacity: end + 1)
      defer { unsafe scratch.deallocate() }
      var first = end
      var index = end
      while index > 0 && end - first < limit {
        index -= 1
        let address = visible(order.address(index), leaf, pin).record
        if address != 0 && !Record(address: address).isTombstone {
          first -= 1
          unsafe scratch[first] = address
        }
      }
      let run = unsafe LeafRun(
        copying: scratch + first, count: end - first, withValues: withValues)
      if index > 0 { return ScanStep(run: run, next: .exclusive(order.key(index).copy())) }
      let low = page.low
      return ScanStep(run: run, next: low.count == 0 ? nil : .exclusive(low.copy()))
    }
  }

  /// The leaf with the last keys below the bound: the last posted page with a low key below it,
  /// then to the right until a high key reaches it. There are no left links.
  private func lastLeaf(
    _ bound: ScanBound, _ key: ByteView, _ pin: Pin
  ) -> (page: Page, leaf: Leaf) {
    var page = findLastPage(bound, key)
    while true {
      let leaf = page.leaf
      guard leaf.hasHigh else { return (page, leaf) }
      switch bound {
      case .unbounded: break
      case .inclusive:
        if ByteView.compare(key, leaf.high) < 0 { return (page, leaf) }
      case .exclusive:
        if ByteView.compare(key, leaf.high) <= 0 { return (page, leaf) }
      }
      probe("tree.movedRight")
      page = step(from: page, leaf, found: findLastPage(bound, key), pin)
    }
  }
}
