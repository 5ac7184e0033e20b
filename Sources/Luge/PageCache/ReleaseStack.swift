internal import Platform

/// Records of page segments that nothing in memory names any more and that have not been released
/// yet: what a pinned thread unlinked, which must not wait for the lock of the page segments.
///
/// ```
/// of each node, an immutable block
/// OFFSET SIZE DESCRIPTION
///      0    8 address of the node beneath, or 0
///      8    8 address of the record
///     16    8 length of its payload
/// ```
/// Invariant: a node is pushed once, and taken by one drain, which takes all there are.
///
/// Safe: a node belongs to whoever made it until it is pushed, and to the one drain that took it then.
///
/// Safe: a node belongs to who pushes it until it is pushed, and then to the one drain that
/// exchanges the top.
@safe final class ReleaseStack: Sendable {
  private static let nodeSize = 32

  private let top = AtomicWord(0)

  /// Pinned or not; waits for nothing.
  func push(_ part: PagePart, _ pin: Pin) {
    // Nobody else has the node until it is on the stack, and then nobody writes to it.
    let node = unsafe pin.allocate(ReleaseStack.nodeSize)
    unsafe node.storeBytes(of: part.address.rawValue, toByteOffset: 8, as: UInt64.self)
    unsafe node.storeBytes(of: UInt64(part.length), toByteOffset: 16, as: UInt64.self)
    let word = UInt64(UInt(bitPattern: node))
    while true {
      let beneath = top.load()
      unsafe node.storeBytes(of: beneath, as: UInt64.self)
      if top.compareExchange(expected: beneath, desired: word) {
        return
      }
    }
  }

  var isEmpty: Bool { top.load() == 0 }

  /// Releases all that was pushed before. Unpinned.
  ///
  /// - Parameter lsn: see `PageStore.release`; asked after they were taken.
  func drain(
    _ pages: PageStore, _ epochs: EpochReclaimer, at lsn: () -> UInt64 = { 0 }
  ) throws(LugeError) {
    if isEmpty { return }
    let parts = try take(epochs)
    try pages.release(parts, at: lsn())
  }

  /// Frees the nodes without a release: when the database goes.
  func discard(_ epochs: EpochReclaimer) throws(LugeError) { _ = try take(epochs) }

  private func take(_ epochs: EpochReclaimer) throws(LugeError) -> [PagePart] {
    let pin = try epochs.pin()
    defer { pin.end() }
    var parts: [PagePart] = []
    var next = top.exchange(0)
    // All at once, so nobody else has a node that is read and freed here.
    while let node = unsafe UnsafeMutableRawPointer(bitPattern: UInt(next)) {
      next = unsafe node.load(as: UInt64.self)
      let address = unsafe node.load(fromByteOffset: 8, as: UInt64.self)
      let length = unsafe node.load(fromByteOffset: 16, as: UInt64.self)
      parts.append(PagePart(address: PageAddress(rawValue: address), length: Int(length)))
      unsafe pin.free(node, ReleaseStack.nodeSize)
    }
    return parts
  }
}
