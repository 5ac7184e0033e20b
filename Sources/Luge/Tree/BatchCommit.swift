internal import Platform

/// Commits writes to several trees as one: readers see all of it or nothing, and the redo log has
/// one record for it.
///
/// Every record of the batch refers to one descriptor; one compare-and-swap of the descriptor's
/// word commits them all. A single-key writer that meets an undecided batch aborts it after a brief
/// wait, so a batch never holds one up; after several such losses the gate holds new writers back
/// for a while. Of two batches that meet, the younger gives way: it takes itself back and waits,
/// holding nothing, until the older is decided. Its age stays, so it becomes the oldest in time.
///
/// Invariants:
/// - From the first install until the descriptor is decided the thread stays pinned and waits for
///   nothing.
/// - Writes are installed in (tree, key) order, one a key.
/// - Large values, and a payload above the largest piece, are in value segments before anything is
///   installed, and are the batch's own until it is committed (`BatchCommit+Apart`).
///
/// Safe because it owns the memory of `installed`, which has room for all writes; what lies there is
/// initialised below `installedCount`.
@safe struct BatchCommit: ~Copyable {
  /// A record in its word.
  private struct Installed {
    var record: Record
    var tree: Int32
    var wasPresent: Bool
  }

  let context: TreeContext
  let trees: [BLinkTree]
  /// The same, for paths that should not count references: `trees` keeps them alive.
  private let unretainedTrees: UnsafeMutablePointer<Unmanaged<BLinkTree>>
  /// The writes as they were given, and as they go into the log: large values as references.
  private let given: BatchBuffer
  private(set) var buffer: BatchBuffer
  private(set) var order: BatchOrder
  /// Bytes of the redo piece.
  private(set) var pieceBytes: Int
  /// What of the batch lies apart.
  private(set) var apart = BatchApart()
  /// Its place among all batches, taken at the first attempt; 0 before.
  private var age: UInt64 = 0
  private let installed: UnsafeMutablePointer<Installed>
  private var installedCount = 0
  /// Of the writes that are near, the page that the index led to in this attempt.
  private let pages: UnsafeMutablePointer<UInt64>

  /// The writes of a buffer, at least one, whose tree numbers are places in `trees`.
  init(_ context: TreeContext, trees: [BLinkTree], _ buffer: BatchBuffer) throws(LugeError) {
    try BLinkTree.checkKey(buffer.longestKey)
    try BLinkTree.checkValue(buffer.longestValue)
    self.context = context
    self.trees = trees
    given = buffer
    self.buffer = buffer
    order = BatchOrder(buffer, ranks: BatchCommit.ranks(trees))
    pieceBytes = RedoFormat.pieceBytes(payload: buffer.byteCount)
    unsafe unretainedTrees = .allocate(capacity: trees.count)
    var number = 0
    while number < trees.count {
      unsafe (unretainedTrees + number).initialize(to: Unmanaged.passUnretained(trees[number]))
      number += 1
    }
    unsafe installed = .allocate(capacity: buffer.count)
    unsafe pages = .allocate(capacity: buffer.count)
  }

  deinit {
    unsafe unretainedTrees.deallocate()
    unsafe installed.deallocate()
    unsafe pages.deallocate()
  }

  /// Of each tree its place in the order of ids.
  private static func ranks(_ trees: [BLinkTree]) -> [Int] {
    if trees.count == 1 { return [0] }
    return trees.map { tree in
      var rank = 0
      for other in trees where other.id < tree.id { rank += 1 }
      return rank
    }
  }

  /// What came of one attempt.
  private enum Attempt: ~Copyable {
    case committed(UInt64)
    /// Aborted by another thread, or for want of log room.
    case again
    /// An older batch is in the way. The hazard keeps its descriptor.
    case behind(OlderBatch)
    /// The leaf of a write, by its index in the order, is not in memory.
    case missing(Int)
  }

  /// How far the installs of an attempt came.
  private enum Progress {
    case complete
    /// Aborted by another thread, or for want of log room.
    case stopped
    /// An older batch is in the way: address of its descriptor.
    case behind(UInt64)
    /// The leaf of the next write is not in memory.
    case missing
  }

  /// Commits; returns the LSN. Throws when a tree is closed or the log refuses; then nothing was
  /// written, and it may be called again.
  mutating func commit() throws(LugeError) -> UInt64 {
    do throws(LugeError) {
      try keepApart()
      let lsn = try commitPrepared()
      // Whatever keeps it from being released, the batch is committed.
      try? apart.settle(context, isCommitted: true)
      return lsn
    } catch {
      try? apart.settle(context, isCommitted: false)
      throw error
    }
  }

  /// Large values, then what is left if that is large.
  private mutating func keepApart() throws(LugeError) {
    if buffer !== given || apart.wasSettled {
      // What an earlier call kept apart was given up when that failed.
      buffer = given
      order = BatchOrder(buffer, ranks: BatchCommit.ranks(trees))
      pieceBytes = RedoFormat.pieceBytes(payload: buffer.byteCount)
    }
    if buffer.longestValue >= context.settings.largeValue {
      buffer = try apart.keepValues(of: buffer, order, trees)
      order = BatchOrder(buffer, ranks: BatchCommit.ranks(trees))
      pieceBytes = RedoFormat.pieceBytes(payload: buffer.byteCount)
    }
    if pieceBytes > context.settings.largestPiece {
      try apart.keepPayload(of: buffer, context)
      pieceBytes = RedoFormat.pieceBytes(payload: ValueReference.bytes)
    }
  }

  private mutating func commitPrepared() throws(LugeError) -> UInt64 {
    var admitted = try context.admit(pieceBytes)
    if age == 0 { age = context.nextBatchAge() }
    var losses = 0
    var misses = 0
    // Claims of pages, that nobody evicts them.
    var held = HeldPages()
    var isGated = false
    defer {
      held.release()
      if isGated { context.gate.open() }
    }
    while true {
      switch try admittedAttempt(admitted) {
      case .committed(let lsn): return lsn
      case .again:
        probe("tree.batchRetried")
        losses += 1
      case .behind(let older):
        held.release()
        try older.wait(context)
      case .missing(let index):
        misses += 1
        if misses == 1 {
          try pageInAll(from: index)
        } else {
          // Others evict what this one needs.
          held.release()
          try holdAll(&held)
        }
      }
      if losses >= context.settings.lossesBeforeGate && !isGated {
        context.gate.close(context.platform.clock)
        isGated = true
      }
      admitted = try context.admit(
        pieceBytes, passingGate: true, overdraws: misses > 0)
    }
  }

  /// One try within one admission.
  private mutating func admittedAttempt(_ admitted: Int) throws(LugeError) -> Attempt {
    defer { context.leave(admitted) }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    var index = 0
    while index < trees.count {
      try trees[index].checkOpen()
      index += 1
    }
    return try attempt(pin)
  }

  private mutating func attempt(_ pin: Pin) throws(LugeError) -> Attempt {
    let descriptor = CommitDescriptor.build(pin, age: age)
    installedCount = 0
    var failure: LugeError? = nil
    var progress = Progress.stopped
    do {
      progress = try installAll(descriptor, pin)
      if case .complete = progress {
        try context.interrupt("tree.batchCommit")
        if decide(descriptor.word, pin) { failure = context.refusal() }
      }
    } catch { failure = error }
    // Undecided still, when something was in the way.
    descriptor.abort()
    let word = descriptor.word.load()
    finish(word, pin)
    descriptor.retire(pin)
    if VersionWord.state(word) == VersionWord.committed {
      return .committed(VersionWord.body(word))
    }
    if let failure { throw failure }
    switch progress {
    case .complete, .stopped: return .again
    case .behind(let older): return .behind(OlderBatch(older, pin))
    case .missing: return .missing(installedCount)
    }
  }

  /// Installs every write under the descriptor. Stops where the batch cannot go on.
  private mutating func installAll(
    _ descriptor: CommitDescriptor, _ pin: Pin
  ) throws(LugeError) -> Progress {
    let version = descriptor.address | VersionWord.transaction
    let count = order.count
    var path = BatchPath()
    // Of the last write: writes are in the order of trees.
    var number = 0
    var tree = trees[0]
    var index = 0
    while index < min(count, BatchCommit.pagesAhead) {
      approachPage(index)
      index &+= 1
    }
    index = 0
    while index < count {
      approachPage(index &+ BatchCommit.pagesAhead)
      approachLeaf(index &+ BatchCommit.leavesAhead)
      let place = buffer.place(order.position(index))
      if place.tree != number {
        number = place.tree
        tree = trees[number]
      }
      let record = build(place, version, pin)
      let step: BatchInstallation
      do {
        step = try tree.installUndecided(record, age, near: unsafe pages[index], &path, pin)
      } catch {
        record.free(pin)
        throw error
      }
      switch step {
      case .needsAdmission:
        record.free(pin)
        return .stopped
      case .missing:
        record.free(pin)
        return .missing
      case .behind(let older):
        record.free(pin)
        return .behind(older)
      case .installed(let wasPresent):
        let entry = Installed(record: record, tree: Int32(place.tree), wasPresent: wasPresent)
        unsafe (installed + installedCount).initialize(to: entry)
        installedCount &+= 1
        descriptor.progress.storeRelaxed(UInt64(installedCount))
      }
      // Others meet aborted batches and go on; so does this one.
      if VersionWord.state(descriptor.word.load()) != VersionWord.pending { return .stopped }
      index &+= 1
    }
    return .complete
  }

  @inline(__always)
  private func build(_ place: BatchBuffer.Place, _ version: UInt64, _ pin: Pin) -> Record {
    if let reference = buffer.reference(place) {
      return Record.build(pin, version: version, key: buffer.key(place), reference: reference)
    }
    return Record.build(
      pin, version: version, key: buffer.key(place), value: buffer.value(place))
  }

  // Keys of a batch are known beforehand, so the memory on their way is asked for while others are
  // installed: first the page, a few keys later its leaf.
  private static let pagesAhead = 8
  private static let leavesAhead = 4

  @inline(__always)
  private func approachPage(_ index: Int) {
    if index >= order.count { return }
    let place = buffer.place(order.position(index))
    unsafe pages[index] = unretainedTrees[place.tree]._withUnsafeGuaranteedRef { tree in
      tree.approachPage(buffer.key(place))
    }
  }

  @inline(__always)
  private func approachLeaf(_ index: Int) {
    if index >= order.count { return }
    let page = unsafe pages[index]
    if page != 0 { Page(address: page).leaf?.prefetchHeads() }
  }

  /// Gives the batch its LSN and fills the piece, unless it was aborted or there is no log room.
  /// True when the log refuses.
  private func decide(_ word: WordRef, _ pin: Pin) -> Bool {
    while true {
      let seen = word.load()
      if VersionWord.state(seen) != VersionWord.pending { return false }
      var lsn = context.reserve(pieceBytes, pin)
      // Everything is installed: look for room without waiting before giving that up.
      if lsn == TreeContext.needsAdmission && context.admitAgain(pieceBytes, pin) {
        lsn = context.reserve(pieceBytes, pin)
      }
      if lsn == TreeContext.needsAdmission { return false }
      if lsn == TreeContext.refused { return true }
      if word.compareExchange(expected: seen, desired: lsn | VersionWord.committed) {
        fill(lsn)
        return false
      }
      // Pushed by a reader, or aborted.
      context.log.fillPad(lsn, bytes: pieceBytes)
    }
  }

  private func fill(_ lsn: UInt64) {
    if let payload = apart.payload {
      unsafe payload.withBytes { unsafe context.log.fill(lsn, kind: .commitApart, payload: $0) }
    } else {
      unsafe context.log.fill(lsn, kind: .commit, payload: buffer.payload)
    }
  }

  /// Turns every record's version word into its final state. Aborted records stay in their words
  /// until somebody removes them.
  private func finish(_ word: UInt64, _ pin: Pin) {
    let committed = VersionWord.state(word) == VersionWord.committed
    var index = 0
    while index < installedCount {
      let entry = unsafe installed[index]
      entry.record.version.store(word)
      if committed {
        unsafe unretainedTrees[Int(entry.tree)]._withUnsafeGuaranteedRef { tree in
          tree.adjustCount(from: entry.wasPresent, to: !entry.record.isTombstone, pin)
        }
        if entry.record.predecessor.load() != 0 { context.pruneCommitted(entry.record, pin) }
      }
      index &+= 1
    }
  }
}

/// An older batch that was in the way, held so that it may be waited for without a pin.
struct OlderBatch: ~Copyable {
  private let descriptor: CommitDescriptor
  private let hazard: HazardGuard

  init(_ address: UInt64, _ pin: Pin) {
    descriptor = CommitDescriptor(address: address)
    hazard = pin.protect(address)
  }

  /// Waits, unpinned, until it is decided. One that does not get on for as long as the gate may be closed
  /// is aborted: its thread may have stopped for good. Throws only `.killed`. (Were a large one aborted that takes
  /// longer, but does get on, small ones that come again and again would keep it from its end.)
  consuming func wait(_ context: TreeContext) throws(LugeError) {
    probe("tree.batchWaited")
    var deadline = context.platform.clock.now().nanoseconds &+ CommitGate.longest
    var progress = descriptor.progress.loadRelaxed()
    var attempt = 0
    while VersionWord.state(descriptor.word.load()) == VersionWord.pending {
      if context.platform.clock.now().nanoseconds >= deadline {
        let seen = descriptor.progress.loadRelaxed()
        if seen == progress {
          descriptor.abort()
          return
        }
        progress = seen
        deadline = context.platform.clock.now().nanoseconds &+ CommitGate.longest
      }
      try context.backOff(attempt, "waiting for an older batch")
      attempt += 1
    }
  }
}
