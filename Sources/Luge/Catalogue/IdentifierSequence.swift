import Platform

/// Ids that are unique across crashes and grow.
///
/// Invariants:
/// 1. `next` only grows; an id is given out by one fetch-add on it.
/// 2. No id at or above `limit` is given out, and `limit` is durable before it is stored.
/// 3. `claimed` is at or above every limit whose redo record has been reserved: a checkpoint that
///    starts above such a record stores `claimed`, so it never falls behind the log that it cuts off.
final class IdentifierSequence: Sendable {
  private let next: AtomicWord
  private let limit: AtomicWord
  private let claimed: AtomicWord
  private let reservation: UInt64
  private let log: RedoLog
  private let lock: Lock

  /// `firstUnused`: no id at or above it was ever given out.
  init(firstUnused: UInt64, reservation: UInt64, log: RedoLog, threads: any Threads) {
    next = AtomicWord(firstUnused)
    limit = AtomicWord(firstUnused)
    claimed = AtomicWord(firstUnused)
    self.reservation = reservation
    self.log = log
    lock = Lock(threads: threads)
  }

  /// What a checkpoint stores; read it after the checkpoint's redo start was taken.
  var reservedThrough: UInt64 { claimed.load() }

  /// One fetch-add; every `reservation` ids one flushed redo record.
  func nextID() throws(LugeError) -> UInt64 {
    let id = next.fetchAdd(1)
    if id < limit.load() { return id }
    try reserve(beyond: id)
    return id
  }

  private func reserve(beyond id: UInt64) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    if id < limit.load() { return }
    let (newLimit, overflow) = id.addingReportingOverflow(reservation)
    if overflow { throw LugeError(.tooLarge, "the ids of this database are used up") }
    var payload = ByteWriter()
    payload.write(newLimit)
    let pieceBytes = RedoFormat.pieceBytes(payload: payload.count)
    try log.admit(pieceBytes: pieceBytes)
    claimed.store(newLimit)
    guard let lsn = log.reserve(pieceBytes) else {
      try log.checkUsable()
      throw LugeError(.closed, "the redo log takes no more writes")
    }
    // The ring copies the bytes before `fill` returns.
    unsafe payload.bytes.withUnsafeBytes { bytes in
      unsafe log.fill(lsn, kind: .identifiers, payload: bytes)
    }
    try log.flush()
    limit.store(newLimit)
    probe("identifiers.reserved")
  }
}
