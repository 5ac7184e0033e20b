internal import Platform

/// One write of a batch: nil removes.
struct BatchWrite: Sendable {
  var tree: BLinkTree
  var key: [UInt8]
  var value: [UInt8]?
}

/// Commits writes to several trees as one: readers see all of it or nothing, and the redo log has
/// one record for it.
///
/// Every record of the batch refers to one descriptor; one compare-and-swap of the descriptor's
/// word commits them all. A single-key writer that meets an undecided batch aborts it after a brief
/// wait, so the batch never holds one up; after several such losses the gate holds new writers back
/// for a while.
///
/// Invariants:
/// - One batch at a time: the batch lock is held from the first install to the last version word.
/// - From the first install until the descriptor is decided the thread stays pinned and waits for
///   nothing.
/// - The writes are in (tree, key) order, one a key.
struct BatchCommit {
  private let context: TreeContext
  private let writes: [BatchWrite]
  private let payload: [UInt8]
  /// Bytes of the redo piece.
  let pieceBytes: Int
  /// Of each installed write: the record, and whether the key had a value before.
  private var installed: [(record: Record, wasPresent: Bool)] = []
  /// The write whose leaf the last attempt did not find in memory.
  private var missing: Int?

  /// `writes` as `collapse` leaves them; not empty.
  init(_ context: TreeContext, collapsed writes: [BatchWrite]) throws(LugeError) {
    self.context = context
    self.writes = writes
    for write in writes {
      try BLinkTree.checkKey(write.key.count)
      try BLinkTree.checkValue(write.value?.count ?? 0)
    }
    payload = BatchCommit.encode(writes)
    pieceBytes = RedoFormat.pieceBytes(payload: payload.count)
    installed.reserveCapacity(writes.count)
  }

  private static func encode(_ writes: [BatchWrite]) -> [UInt8] {
    var size = 0
    for write in writes {
      size += RedoPayload.operationBytes(
        tree: write.tree.id, key: write.key.count, value: write.value?.count)
    }
    var writer = ByteWriter(capacity: size)
    for write in writes {
      // The arrays outlive the closures, which copy from them.
      unsafe write.key.withUnsafeBytes { key in
        if let value = write.value {
          unsafe value.withUnsafeBytes { value in
            unsafe RedoPayload.appendPut(
              tree: write.tree.id, key: key, value: value, to: &writer)
          }
        } else {
          unsafe RedoPayload.appendDelete(tree: write.tree.id, key: key, to: &writer)
        }
      }
    }
    return writer.bytes
  }

  /// Puts writes into (tree, key) order; of several for one key the last stays.
  static func collapse(_ writes: [BatchWrite]) -> [BatchWrite] {
    var order = [Int](0..<writes.count)
    order.sort { (left: Int, right: Int) in
      let (a, b) = (writes[left], writes[right])
      if a.tree.id != b.tree.id { return a.tree.id < b.tree.id }
      let keys = compareKeys(a.key, b.key)
      return keys != 0 ? keys < 0 : left < right
    }
    var result: [BatchWrite] = []
    result.reserveCapacity(writes.count)
    for index in order {
      let write = writes[index]
      if let last = result.last, last.tree.id == write.tree.id, last.key == write.key {
        result[result.count - 1] = write
      } else {
        result.append(write)
      }
    }
    return result
  }

  /// Commits; returns the LSN. Throws when a tree is closed or the log refuses; then nothing was
  /// written.
  mutating func commit() throws(LugeError) -> UInt64 {
    // The lock comes first: who waits for it must not hold the log room that its holder may need
    // for another try.
    try context.lockBatch()
    defer { context.unlockBatch() }
    var admitted = try context.admit(pieceBytes)
    var losses = 0
    var gated = false
    // The gate is the lock holder's: it opens before the lock does.
    defer { if gated { context.gate.open() } }
    while true {
      let lsn = try pinnedAttempt(admitted)
      if let lsn { return lsn }
      if let index = missing {
        try writes[index].tree.pageIn(writes[index].key)
        admitted = try context.admit(pieceBytes, passingGate: true)
        continue
      }
      probe("tree.batchRetried")
      losses += 1
      if losses >= context.settings.lossesBeforeGate {
        context.gate.close(context.platform.clock)
        gated = true
      }
      admitted = try context.admit(pieceBytes, passingGate: true)
    }
  }

  /// One try within one admission.
  private mutating func pinnedAttempt(_ admitted: Int) throws(LugeError) -> UInt64? {
    defer { context.leave(admitted) }
    let pin = try context.epochs.pin()
    defer { pin.end() }
    var index = 0
    while index < writes.count {
      try writes[index].tree.checkOpen()
      index += 1
    }
    return try attempt(pin)
  }

  /// Nil when the batch was aborted, by others or for want of log room.
  private mutating func attempt(_ pin: Pin) throws(LugeError) -> UInt64? {
    let descriptor = CommitDescriptor.build(pin)
    installed.removeAll(keepingCapacity: true)
    missing = nil
    var failure: LugeError? = nil
    do {
      if try installAll(descriptor, pin) {
        try context.interrupt("tree.batchCommit")
        if decide(descriptor.word, pin) { failure = context.refusal() }
      }
    } catch { failure = error }
    // Undecided still, when something was in the way.
    writes[0].tree.abort(descriptor.word)
    let word = descriptor.word.load()
    finish(word, pin)
    descriptor.retire(pin)
    if VersionWord.state(word) == VersionWord.committed { return VersionWord.body(word) }
    if let failure { throw failure }
    return nil
  }

  /// Installs every write under the descriptor. False when the batch cannot go on.
  private mutating func installAll(
    _ descriptor: CommitDescriptor, _ pin: Pin
  ) throws(LugeError) -> Bool {
    let version = descriptor.address | VersionWord.transaction
    var index = 0
    while index < writes.count {
      let write = writes[index]
      let record = BatchCommit.build(write, version, pin)
      let installation: BLinkTree.Installation
      do { installation = try write.tree.installUndecided(record, pin) } catch {
        record.free(pin)
        throw error
      }
      guard case .installed(let wasPresent) = installation else {
        record.free(pin)
        if case .missing = installation { missing = index }
        return false
      }
      installed.append((record, wasPresent))
      // Others meet aborted batches and go on; so does this one.
      if VersionWord.state(descriptor.word.load()) != VersionWord.pending { return false }
      index += 1
    }
    return true
  }

  private static func build(_ write: BatchWrite, _ version: UInt64, _ pin: Pin) -> Record {
    // Both arrays outlive the call, which copies from them.
    unsafe write.key.withUnsafeBytes { key in
      guard let value = write.value else {
        return unsafe Record.build(pin, version: version, key: ByteView(key), value: nil)
      }
      return unsafe value.withUnsafeBytes { value in
        unsafe Record.build(pin, version: version, key: ByteView(key), value: ByteView(value))
      }
    }
  }

  /// Gives the batch its LSN and fills the piece, unless it was aborted or the log room paid for is
  /// used up. True when the log refuses.
  private func decide(_ word: WordRef, _ pin: Pin) -> Bool {
    while true {
      let seen = word.load()
      if VersionWord.state(seen) != VersionWord.pending { return false }
      let lsn = context.reserve(pieceBytes, pin)
      if lsn == TreeContext.needsAdmission { return false }
      if lsn == TreeContext.refused { return true }
      if word.compareExchange(expected: seen, desired: lsn | VersionWord.committed) {
        unsafe payload.withUnsafeBytes { unsafe context.log.fill(lsn, kind: .commit, payload: $0) }
        return false
      }
      // Pushed by a reader, or aborted.
      context.log.fillPad(lsn, bytes: pieceBytes)
    }
  }

  /// Turns every record's version word into its final state. Aborted records stay in their words
  /// until somebody removes them.
  private func finish(_ word: UInt64, _ pin: Pin) {
    let committed = VersionWord.state(word) == VersionWord.committed
    var index = 0
    while index < installed.count {
      let (record, wasPresent) = installed[index]
      record.version.store(word)
      if committed {
        writes[index].tree.adjustCount(from: wasPresent, to: !record.isTombstone)
        context.prune(record, pin)
      }
      index += 1
    }
  }
}
