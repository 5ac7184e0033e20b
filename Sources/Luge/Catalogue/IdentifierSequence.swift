import Platform

/// The words of an identifier sequence, for the path that all callers take: a value, so that taking
/// an id touches no reference count.
///
/// Safe: the words live as long as the sequence that they belong to, which frees them, and every
/// index is a constant below their number.
@safe struct IdentifierWords: Sendable {
  // Each on cache lines of its own (processors fetch them in pairs): every call writes `next`, and
  // all read `limit`. The address never changes.
  nonisolated(unsafe) private let words: UnsafeMutablePointer<AtomicWord>
  private static let stride = 16
  private static let count = 3 * stride

  init(firstUnused: UInt64) {
    unsafe words = .allocate(capacity: Self.count)
    var index = 0
    while index < Self.count {
      unsafe (words + index).initialize(to: AtomicWord(firstUnused))
      index += 1
    }
  }

  func free() {
    unsafe words.deinitialize(count: Self.count)
    unsafe words.deallocate()
  }

  var limit: UInt64 {
    @inline(__always) get { unsafe words[Self.stride].load() }
    nonmutating set { unsafe words[Self.stride].store(newValue) }
  }

  var reservedThrough: UInt64 {
    get { unsafe words[2 * Self.stride].load() }
    nonmutating set { unsafe words[2 * Self.stride].store(newValue) }
  }

  /// The next id, whether or not it may be given out yet.
  @inline(__always)
  func next() -> UInt64 { unsafe words[0].fetchAdd(1) }

  /// An id below the limit; nil when one was used up that is not.
  @inline(__always)
  func take() -> UInt64? {
    let id = next()
    return id < limit ? id : nil
  }
}

/// Ids that are unique across crashes and grow.
///
/// Invariants:
/// 1. `next` only grows; an id is given out by one fetch-add on it.
/// 2. No id at or above `limit` is given out, and `limit` is durable before it is stored.
/// 3. `reservedThrough` is at or above every limit whose redo record has been reserved: a checkpoint
///    that starts above such a record stores it, so it never falls behind the log that it cuts off.
final class IdentifierSequence: Sendable {
  let words: IdentifierWords
  private let reservation: UInt64
  private let log: RedoLog
  private let lock: Lock

  /// `firstUnused`: no id at or above it was ever given out.
  init(firstUnused: UInt64, reservation: UInt64, log: RedoLog, threads: any Threads) {
    words = IdentifierWords(firstUnused: firstUnused)
    self.reservation = reservation
    self.log = log
    lock = Lock(threads: threads)
  }

  deinit { words.free() }

  /// What a checkpoint stores; read it after the checkpoint's redo start was taken.
  var reservedThrough: UInt64 { words.reservedThrough }

  /// One fetch-add; every `reservation` ids one flushed redo record.
  func nextID() throws(LugeError) -> UInt64 {
    let id = words.next()
    if id >= words.limit { try reserve(beyond: id) }
    return id
  }

  private func reserve(beyond id: UInt64) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    if id < words.limit { return }
    let (newLimit, overflow) = id.addingReportingOverflow(reservation)
    if overflow { throw LugeError(.tooLarge, "the ids of this database are used up") }
    var payload = ByteWriter()
    payload.write(newLimit)
    // Twice, in two groups: damage in the last group of the log cannot be told from a torn tail, and
    // ids must not come back even then. The second proves that the first was durable.
    try logReservation(payload.bytes, newLimit)
    try logReservation(payload.bytes, newLimit)
    words.limit = newLimit
    probe("identifiers.reserved")
  }

  /// Logs a reservation, and makes it durable.
  private func logReservation(_ payload: [UInt8], _ newLimit: UInt64) throws(LugeError) {
    let pieceBytes = RedoFormat.pieceBytes(payload: payload.count)
    try log.admit(pieceBytes: pieceBytes)
    words.reservedThrough = newLimit
    guard let lsn = log.reserve(pieceBytes) else {
      try log.checkUsable()
      throw LugeError(.closed, "the redo log takes no more writes")
    }
    // The ring copies the bytes before `fill` returns.
    unsafe payload.withUnsafeBytes { bytes in
      unsafe log.fill(lsn, kind: .identifiers, payload: bytes)
    }
    try log.flush()
  }
}
