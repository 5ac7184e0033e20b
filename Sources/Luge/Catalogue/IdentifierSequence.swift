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
  private static let count = 5 * stride

  init(firstUnused: UInt64) {
    unsafe words = .allocate(capacity: Self.count)
    var index = 0
    while index < Self.count {
      unsafe (words + index).initialize(to: AtomicWord(firstUnused))
      index += 1
    }
    isWished = 0
  }

  func free() {
    unsafe words.deinitialize(count: Self.count)
    unsafe words.deallocate()
  }

  /// Below it an id is given out without another look. At most `end`.
  var limit: UInt64 {
    @inline(__always) get { unsafe words[Self.stride].load() }
    nonmutating set { unsafe words[Self.stride].store(newValue) }
  }

  /// Everything below it is reserved on disk.
  var end: UInt64 {
    get { unsafe words[2 * Self.stride].load() }
    nonmutating set { unsafe words[2 * Self.stride].store(newValue) }
  }

  var reservedThrough: UInt64 {
    get { unsafe words[3 * Self.stride].load() }
    nonmutating set { unsafe words[3 * Self.stride].store(newValue) }
  }

  /// 1 from when more are to be reserved ahead until somebody begins to.
  var isWished: UInt64 {
    get { unsafe words[4 * Self.stride].loadSequential() }
    nonmutating set { unsafe words[4 * Self.stride].storeSequential(newValue) }
  }

  func takeWish() -> Bool { unsafe words[4 * Self.stride].exchange(0) != 0 }

  /// The next id, whether or not it may be given out yet.
  @inline(__always)
  func next() -> UInt64 { unsafe words[0].fetchAdd(1) }

  /// An id below the limit; nil when one was used up that is not.
  @inline(__always)
  func take() -> UInt64? {
    // The limit of a moment before will do: no limit was ever above an end, and ends only grow.
    let limit = limit
    let id = next()
    return id < limit ? id : nil
  }

  /// Lets ids be taken up to `end` as `limit` was `seen`. True for the one caller that did it.
  func raiseLimit(from seen: UInt64, to end: UInt64) -> Bool {
    unsafe words[Self.stride].compareExchange(expected: seen, desired: end)
  }
}

/// Ids that are unique across crashes and grow.
///
/// They are reserved on disk in portions. When half of a portion is used up the next one is reserved in
/// the background, so that who takes an id seldom waits for the disk; and portions grow while they do not
/// last long.
///
/// Invariants:
/// 1. `next` only grows; an id is given out by one fetch-add on it.
/// 2. `limit <= end`, and `end` only grows. No id at or above `end` is given out, and `end` is durable
///    before it is stored. (`limit` falls back where somebody raised it to a new end before it was set.)
/// 3. `reservedThrough` is at or above every end whose redo record has been reserved: a checkpoint
///    that starts above such a record stores it, so it never falls behind the log that it cuts off.
/// 4. At most one and a half portions are reserved and not used: a portion is reserved ahead when half
///    of the one before is used up, and at once when nothing is left. So much a crash skips.
final class IdentifierSequence: Sendable {
  /// The largest portion, in configured ones.
  static let mostGrowth: UInt64 = 64
  /// A portion that lasts less, from when it may be used, makes the next one sixteen times as large; one that
  /// lasts four times as long makes it a quarter as large. One at whose end somebody waits must last four times
  /// as long, too: the disk may be slow. In nanoseconds.
  static let leastLife: UInt64 = 250_000_000

  let words: IdentifierWords
  private let reservation: UInt64
  private let log: RedoLog
  private let clock: any Clock
  private let lock: Lock
  /// How many times the configured portion the last one was, and since when it may be used. Guarded by `lock`.
  private let growth = AtomicWord(0)
  private let usableSince = AtomicWord(0)

  /// `firstUnused`: no id at or above it was ever given out.
  init(firstUnused: UInt64, reservation: UInt64, log: RedoLog, platform: PlatformServices) {
    words = IdentifierWords(firstUnused: firstUnused)
    self.reservation = reservation
    self.log = log
    clock = platform.clock
    lock = Lock(threads: platform.threads)
  }

  deinit { words.free() }

  /// What a checkpoint stores; read it after the checkpoint's redo start was taken.
  var reservedThrough: UInt64 { words.reservedThrough }

  /// Whether a portion is to be reserved ahead.
  var isWished: Bool { words.isWished != 0 }

  /// One fetch-add; once a portion a flush, of this thread only where nobody reserves ahead in time.
  func nextID() throws(LugeError) -> UInt64 {
    let id = words.next()
    let limit = words.limit
    if id < limit { return id }
    if id < words.end {
      // The first to come here lets all go on, and has more reserved.
      if words.raiseLimit(from: limit, to: words.end) {
        words.isWished = 1
        log.callFlusher()
      }
      return id
    }
    try reserve(beyond: id)
    return id
  }

  /// Reserves a portion before it is needed, if that is wished: background work.
  func reserveAhead() throws(LugeError) {
    if !words.takeWish() { return }
    try lock.acquire()
    defer { lock.unlock() }
    // The last portion was begun only now: by somebody who could not wait.
    if words.limit < words.end { return }
    probe("identifiers.reservedAhead")
    try reserve(from: words.end, isAwaited: false)
  }

  private func reserve(beyond id: UInt64) throws(LugeError) {
    try lock.acquire()
    defer { lock.unlock() }
    if id < words.end { return }
    try reserve(from: id, isAwaited: true)
    probe("identifiers.reserved")
  }

  /// Reserves a portion: the ids from `start` on. Under the lock.
  private func reserve(from start: UInt64, isAwaited: Bool) throws(LugeError) {
    let size = portion(isAwaited)
    let (newEnd, overflow) = start.addingReportingOverflow(size)
    if overflow { throw LugeError(.tooLarge, "the ids of this database are used up") }
    var payload = ByteWriter()
    payload.write(newEnd)
    // Twice, in two groups: damage in the last group of the log cannot be told from a torn tail, and
    // ids must not come back even then. The second proves that the first was durable.
    try logReservation(payload.bytes, newEnd)
    try logReservation(payload.bytes, newEnd)
    usableSince.store(clock.now().nanoseconds)
    words.end = newEnd
    // Who saw the new end may have raised it to there, and wished for more: too early, so this takes it back.
    words.limit = newEnd - size / 2
  }

  /// How many ids to reserve: more when the last ones did not last.
  private func portion(_ isAwaited: Bool) -> UInt64 {
    let age = clock.now().nanoseconds &- usableSince.load()
    var times = growth.load()
    if times == 0 {
      times = 1
    } else if age < (isAwaited ? 4 : 1) * Self.leastLife {
      times = min(16 * times, Self.mostGrowth)
    } else if age >= 4 * Self.leastLife {
      times = max(times / 4, 1)
    }
    growth.store(times)
    let (size, overflow) = reservation.multipliedReportingOverflow(by: times)
    return overflow ? reservation : size
  }

  /// Logs a reservation, and makes it durable.
  private func logReservation(_ payload: [UInt8], _ newEnd: UInt64) throws(LugeError) {
    let pieceBytes = RedoFormat.pieceBytes(payload: payload.count)
    try log.admitIdentifiers()
    words.reservedThrough = newEnd
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
