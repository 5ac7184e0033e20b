internal import Platform

// After a crash pages are brought up to date when they come into memory: page-in puts what the redo
// has for them, at or above their W, into the leaf that it builds. The leaf is dirty then, so whoever
// evicts it writes it out with a W above all of that.

/// What the redo has for one page.
struct PendingChanges {
  struct Change {
    let record: PendingRecord
    /// Where in `bytes` the operation lies.
    let operation: Range<Int>
  }

  var changes: [Change] = []
  var bytes: [UInt8] = []

  /// Calls `body` with each change in key order. Key and value are good until it returns.
  func forEach(
    tree: UInt64,
    _ body: (_ lsn: UInt64, _ key: ByteView, _ value: ByteView?) throws(LugeError) -> Void
  ) throws(LugeError) {
    // The array outlives the closure, and so do the views into it.
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(LugeError) in
      for change in changes {
        let operation = unsafe UnsafeRawBufferPointer(
          UnsafeBufferPointer(rebasing: bytes[change.operation]))
        try unsafe RedoPayload.decode(operation, lsn: change.record.lsn) {
          (operation) throws(LugeError) in
          guard unsafe operation.tree == tree, unsafe ByteView(operation.key) == change.record.key
          else {
            throw LugeError(.corruption, "the redo at LSN \(change.record.lsn) changed")
          }
          let value = unsafe operation.value.map { unsafe ByteView($0) }
          try body(change.record.lsn, change.record.key, value)
        }
      }
    }
  }
}

extension PendingCell.Held {
  /// Reads some operations of a tree.
  func read(_ place: Int, _ indexes: ArraySlice<Int>) throws(LugeError) -> PendingChanges {
    var found = PendingChanges()
    var size = 0
    for index in indexes { size += pending.record(place, index).count }
    found.bytes = [UInt8](repeating: 0, count: size)
    found.changes.reserveCapacity(indexes.count)
    var start = 0
    for index in indexes {
      let record = pending.record(place, index)
      let range = start..<start + record.count
      try unsafe found.bytes.withUnsafeMutableBufferPointer { (bytes) throws(LugeError) in
        let target = unsafe UnsafeMutableBufferPointer(rebasing: bytes[range])
        try unsafe source.read(record, into: UnsafeMutableRawBufferPointer(target))
      }
      found.changes.append(PendingChanges.Change(record: record, operation: range))
      start = range.upperBound
    }
    return found
  }
}

extension BLinkTree {
  /// What a page on disk lacks, whose image has all below `lsn`. Unpinned: reads.
  func changes(
    _ held: PendingCell.Held?, low: ByteView, high: [UInt8]?, since lsn: UInt64
  ) throws(LugeError) -> PendingChanges? {
    guard let held, let place = held.pending.place(of: id), !held.isDone(place) else {
      return nil
    }
    let newest = held.pending.newest(place, held.pending.range(place, low, high), since: lsn)
    if newest.isEmpty { return nil }
    probe("recovery.changesTaken")
    return try held.read(place, newest[...])
  }

  /// Brings every page of the tree up to date. Unpinned; reads. Concurrent with everything but `destroy`.
  func replayPending(closedToo: Bool = false) throws(LugeError) {
    guard let held = context.pending.enter() else { return }
    defer { context.pending.leave() }
    guard let place = held.pending.place(of: id), !held.isDone(place) else { return }
    var next = 0
    let count = held.pending.count(place)
    while next < count {
      let key = held.pending.record(place, next).key
      switch try look(held, place, next, closedToo) {
      case .lacking:
        probe("recovery.pageReplayed")
        try pageIn(key, closedToo: closedToo)
      case .complete(let high):
        guard let high else {
          next = count
          break
        }
        next = max(next + 1, held.pending.range(place, .empty, high).upperBound)
      }
    }
    held.setDone(place)
  }

  private enum Completeness {
    case lacking
    /// The page has all; it ends here.
    case complete(high: [UInt8]?)
  }

  /// Looks at the page that covers an operation's key.
  private func look(
    _ held: PendingCell.Held, _ place: Int, _ index: Int, _ closedToo: Bool
  ) throws(LugeError) -> Completeness {
    let pin = try context.epochs.pin()
    defer { pin.end() }
    if !closedToo { try checkOpen() }
    guard let (page, leaf) = descend(held.pending.record(place, index).key, pin) else {
      return .lacking
    }
    if let leaf { return .complete(high: leaf.hasHigh ? leaf.high.copy() : nil) }
    let word = page.word.load()
    guard PageWord.tag(word) == PageWord.evicted, let parts = page.parts else { return .lacking }
    let high = highKey(ofEvicted: page)
    let range = held.pending.range(place, page.low, high)
    let lacks = !held.pending.newest(place, range, since: parts.lsn).isEmpty
    // The same word: all of this was true at one moment.
    return lacks || page.word.load() != word ? .lacking : .complete(high: high)
  }
}
