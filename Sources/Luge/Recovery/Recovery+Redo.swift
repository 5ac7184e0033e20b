import Platform

// Where the redo goes.
//
// Safe: payloads that a scan lends are looked at within the call.

extension Recovery {
  /// Operations that are read from the redo at once.
  private static let portion = 64

  /// Leaves what pages lack to whoever needs them. Answers the trees that the catalogue names.
  func replayLazily() throws(LugeError) -> [(name: String, tree: BLinkTree)] {
    let pending = redo.harvest.pending
    if pending.treeCount == 0 { return try namedTrees() }
    for place in 0..<pending.treeCount {
      noteTree(pending.tree(place))
      // Of a tree without chunks all is set aside, whether it is there or not.
      if !treesOnDisk.contains(pending.tree(place)) {
        pending.setAside(place, 0..<pending.count(place))
      }
    }
    let source = try PendingSource(
      files: platform.files, directory: directoryPath, eras: redo.eras,
      from: superblock.recoveryLSN)
    context.epochs.account.charge(pending.bytes)
    context.pending.attach(pending, source)
    guard let held = context.pending.enter() else { preconditionFailure("it was just attached") }
    defer { context.pending.leave() }
    try apply(held, try tree(Catalogue.catalogueID), aside: true)
    let named = try namedTrees()
    try apply(held, try tree(Catalogue.defaultID), aside: true)
    for item in named { try apply(held, item.tree, aside: true) }
    return named
  }

  /// Applies all of it, portion by portion, each in key order. Answers the trees that the catalogue
  /// names.
  func replayInPortions() throws(LugeError) -> [(name: String, tree: BLinkTree)] {
    let source = try PendingSource(
      files: platform.files, directory: directoryPath, eras: redo.eras,
      from: superblock.recoveryLSN)
    var from = superblock.recoveryLSN
    while from < redo.end {
      probe("recovery.portionReplayed")
      redo.harvest.clear()
      // The payloads are lent for a call, and nothing of them is kept.
      let scan = unsafe try RedoScan.some(
        files: platform.files, directory: directoryPath, superblock: superblock, from: from
      ) { (lsn, kind, payload) throws(LugeError) in
        // Lent for the call, and copied.
        unsafe try self.redo.harvest.take(lsn, kind, payload)
      }
      from = scan.end
      if !redo.harvest.isFull && scan.end != redo.end { throw outgrown(scan.end) }
      let pending = redo.harvest.pending
      pending.sort()
      let bytes = pending.bytes
      context.epochs.account.charge(bytes)
      defer { context.epochs.account.charge(-bytes) }
      let held = PendingCell.Held(pending: pending, source: source, marks: [])
      for place in 0..<pending.treeCount {
        noteTree(pending.tree(place))
        try apply(held, try tree(pending.tree(place)), aside: false)
      }
    }
    redo.harvest.clear()
    return try namedTrees()
  }

  private func outgrown(_ end: UInt64) -> LugeError {
    LugeError(
      .corruption, "the redo log read twice ends at two places", path: directoryPath,
      expected: "\(redo.end)", found: "\(end)")
  }

  /// Applies operations of one tree in key order: those set aside, or the others.
  private func apply(
    _ held: PendingCell.Held, _ tree: BLinkTree, aside: Bool
  ) throws(LugeError) {
    guard let place = held.pending.place(of: tree.id), !aside || held.pending.hasAside(place)
    else { return }
    let all = 0..<held.pending.count(place)
    let newest = held.pending.newest(place, all, since: 0, aside: aside)
    var first = 0
    while first < newest.count {
      let some = newest[first..<min(first + Self.portion, newest.count)]
      try held.read(place, some, context.values).forEach(tree: tree.id) {
        (lsn, key, value, reference) throws(LugeError) in
        try context.makeRoomIfNeeded()
        if try !tree.replay(lsn, key, value, reference) { probe("recovery.skippedByImage") }
      }
      first += some.count
    }
  }
}
