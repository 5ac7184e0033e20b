import Platform

/// The commit stream: reservations and fills without waiting, and group commit.
///
/// Invariants:
/// - LSNs are byte positions of one stream that begins at `start`, a block. `tail` only grows. What an
///   earlier incarnation left without being known durable is at the beginning (`RedoTail`).
/// - `groupStart <= sealedEnd <= tail`. All below `groupStart` (= `durable`) is on disk and synced.
///   `groupStart ..< sealedEnd` is a group that was sealed and not yet made durable; empty when equal.
/// - `sealedEnd` is a block, and the 48 bytes from there are reserved for the next group's header.
///   Only a flush fills a header, and only when all before it is durable.
/// - Order of a flush: blocks filled; what their pieces name elsewhere durable (`prerequisite`);
///   segment files, their headers and their names durable; blocks written; every file written to
///   synced; `durable` raised. Nothing is written twice once synced.
/// - Room: every check that admits leaves `slack` free, so what admitted threads reserve later always
///   finds room, and neither `reserve` nor `fill` waits.
///
/// Safe to share: words are atomic; `groupStart` and `sealedEnd` change only under `flushLock`.
@safe
final class RedoLog: @unchecked Sendable {
  /// Reservations that one admission of a piece above the ordinary size entitles to.
  static let reservationsOfLargePiece = 2

  let settings: RedoSettings
  let incarnation: UInt64
  let start: UInt64

  private let ring: RedoRing
  private let store: RedoSegmentStore
  private let prerequisite: (any RedoPrerequisite)?
  let threads: any Threads
  /// Held by who leads a flush, and by `close`.
  private let flushLock: Lock
  private let flushes: FlushQueue
  private let largeLock: Lock
  /// Held while a spare is made, so that no file is made once the log is closed.
  private let spareLock: Lock
  private let failureCell = FailureCell()

  // Each word on a cache line of its own: `tail` is written by every commit.
  private let words: UnsafeMutablePointer<AtomicWord>
  private static let stride = 16
  private static let tailIndex = 0
  private static let durableIndex = stride
  private static let creditsIndex = 2 * stride
  private static let closedIndex = 3 * stride
  private static let superblockIndex = 4 * stride
  /// Thread slots that have ever passed admission: at most `settings.maximumThreads`.
  private static let writersIndex = 5 * stride
  /// The name of the thread that flushes in the background, plus one; 0 when there is none.
  private static let flusherIndex = 6 * stride
  /// Not 0 from when that thread is asked to flush until it begins.
  private static let flushWishIndex = 7 * stride
  /// Hardly ever written, so read at every reservation without a miss.
  private static let sleepersIndex = 8 * stride
  private static let wordCount = 9 * stride
  /// Which these are; each is looked at and set by the holder of the slot only.
  private let isWriter: UnsafeMutablePointer<Bool>

  // Guarded by `flushLock`.
  private var groupStart: UInt64
  private var sealedEnd: UInt64

  /// A log that begins at `start` under an incarnation that no file bears yet. Writes nothing.
  ///
  /// - Parameters:
  ///   - next: where it goes on; what lies between `start` and this, `carryOver` has to write before
  ///     anything else is called.
  ///   - segments: the redo files found, as `RedoScan` returns them; those of `eras` are kept until
  ///     `release(below:)` says that they are not needed.
  init(
    platform: PlatformServices, directory: String, settings: RedoSettings, incarnation: UInt64,
    start: UInt64, next: UInt64? = nil, superblockSequence: UInt64 = 0,
    segments: [RedoSegmentInfo] = [], eras: [RedoEra] = [],
    prerequisite: (any RedoPrerequisite)? = nil
  ) throws(LugeError) {
    try settings.validate()
    self.prerequisite = prerequisite
    let next = next ?? start
    let headerEnd = next + UInt64(RedoFormat.groupBytes)
    let block = UInt64(RedoFormat.blockBytes)
    precondition(start > 0 && start % block == 0 && next % block == 0, "a log begins at a block")
    self.settings = settings
    self.incarnation = incarnation
    self.start = start
    ring = RedoRing(bytes: settings.ringBytes, start: next, incarnation: incarnation)
    store = RedoSegmentStore(
      platform: platform, directory: directory, settings: settings, incarnation: incarnation,
      start: start, adopting: segments, eras: eras)
    threads = platform.threads
    flushLock = Lock(threads: platform.threads)
    flushes = FlushQueue(threads: platform.threads)
    largeLock = Lock(threads: platform.threads)
    spareLock = Lock(threads: platform.threads)
    groupStart = next
    sealedEnd = next
    unsafe isWriter = .allocate(capacity: ThreadSlot.limit)
    unsafe isWriter.initialize(repeating: false, count: ThreadSlot.limit)
    unsafe words = .allocate(capacity: Self.wordCount)
    var index = 0
    while index < Self.wordCount {
      unsafe (words + index).initialize(to: AtomicWord(0))
      index += 1
    }
    unsafe words[Self.tailIndex].storeRelaxed(headerEnd)
    unsafe words[Self.durableIndex].storeRelaxed(next)
    unsafe words[Self.superblockIndex].storeRelaxed(superblockSequence)
  }

  deinit {
    unsafe words.deinitialize(count: Self.wordCount)
    unsafe words.deallocate()
    unsafe isWriter.deallocate()
  }

  /// Makes the end of an earlier era the beginning of this one, durably. At opening, before anything is
  /// reserved.
  func carryOver(_ tail: RedoTail, _ segments: [RedoSegmentInfo]) throws(LugeError) {
    try locking(flushLock)
    defer { flushLock.unlock() }
    try tail.copy(segments, to: store, superblockSequence: superblockSequence)
  }

  // MARK: State

  /// See `sleep`.
  var sleepers: UnsafeMutablePointer<AtomicWord> { unsafe words + Self.sleepersIndex }

  /// The LSN of the next reservation.
  var tail: UInt64 {
    @inline(__always) get { unsafe words[Self.tailIndex].load() }
  }

  /// The same, in one order with every other sequential access.
  var sequentialTail: UInt64 { unsafe words[Self.tailIndex].loadSequential() }

  /// All of the stream below this is on disk and synced. A multiple of 4096.
  var durable: UInt64 { unsafe words[Self.durableIndex].load() }

  /// Whether every commit reserved below `lsn` is durable.
  func isDurable(_ lsn: UInt64) -> Bool {
    // Between the last group and this there is only the reserved header of the next one.
    lsn <= durable + UInt64(RedoFormat.groupBytes)
  }

  /// Whether nothing was reserved since the last group.
  var hasFlushedAll: Bool { isDurable(sequentialTail) }

  /// The sequence of the newest superblock known durable; every group tells it.
  var superblockSequence: UInt64 {
    get { unsafe words[Self.superblockIndex].load() }
    set { unsafe words[Self.superblockIndex].store(newValue) }
  }

  /// Why the log takes no more, or nil.
  var failure: LugeError? { failureCell.error }

  /// Makes every later call fail with this cause. The first call counts.
  func fail(_ error: LugeError) { failureCell.set(error) }

  /// Refuses everything from here on; what is reserved already may be filled. Does not flush, but
  /// waits for a flush under way, and for a spare that is being made: both use the files.
  func close() {
    unsafe words[Self.closedIndex].store(1)
    // A dead process's files go with its memory.
    guard (try? spareLock.lock()) != nil else { return }
    defer { spareLock.unlock() }
    guard (try? flushLock.lock()) != nil else { return }
    defer { flushLock.unlock() }
    store.close()
  }

  /// The largest piece that `admit` lets through, in bytes.
  var largestPiece: Int { settings.largestPiece }

  /// Throws `.failed` or `.closed` when the log takes no more.
  func checkUsable() throws(LugeError) {
    if let cause = failureCell.error { throw Self.refusal(cause) }
    if unsafe words[Self.closedIndex].load() != 0 {
      throw LugeError(.closed, "the database is closed")
    }
  }

  private static func refusal(_ cause: LugeError) -> LugeError {
    if cause.code == .killed { return cause }
    return LugeError(
      .failed, "an earlier failure is final: \(cause.message)", path: cause.path,
      offset: cause.offset, underlying: cause.underlying)
  }

  // MARK: Admission

  /// Waits until the log has room. Call it unpinned, without a lock that a flush could need.
  ///
  /// An ordinary piece: entitles the calling thread to four reservations of at most
  /// `settings.largestOrdinaryPiece` bytes each. A larger piece: to two reservations of `pieceBytes`,
  /// and the caller gives the credits back with `releaseCredits(pieceBytes:)` after its last one,
  /// made or not. Who needs more unpins and asks again.
  ///
  /// Throws `.tooLarge`, `.noSpace`, `.failed`, `.closed`, `.resourceExhausted`, `.killed`; then there
  /// is nothing to give back.
  func admit(pieceBytes: Int) throws(LugeError) {
    let slot = ThreadSlot.current
    guard slot >= 0 else { throw tooManyThreads() }
    if unsafe !isWriter[slot] { try becomeWriter(slot) }
    if pieceBytes > settings.largestOrdinaryPiece { return try admitLarge(pieceBytes) }
    try waitForRoom()
  }

  /// Waits likewise, for one record of identifiers: there is room for one at a time beside all that
  /// writers may reserve (`RedoSettings.flushReserve`), so any thread may ask.
  func admitIdentifiers() throws(LugeError) { try waitForRoom() }

  /// Enters a thread slot among those that the slack provides for. It stays: a thread that takes
  /// the slot over later writes in its place.
  @inline(never)
  private func becomeWriter(_ slot: Int) throws(LugeError) {
    while true {
      let writers = unsafe words[Self.writersIndex].load()
      if writers >= UInt64(settings.maximumThreads) { throw tooManyThreads() }
      if unsafe words[Self.writersIndex].compareExchange(expected: writers, desired: writers + 1) {
        unsafe isWriter[slot] = true
        return
      }
    }
  }

  /// Whether this piece size takes credits.
  func isLarge(pieceBytes: Int) -> Bool { pieceBytes > settings.largestOrdinaryPiece }

  /// Gives back what `admit` took for a piece above the ordinary size; else does nothing.
  func releaseCredits(pieceBytes: Int) {
    guard isLarge(pieceBytes: pieceBytes) else { return }
    let credits = UInt64(pieceBytes * Self.reservationsOfLargePiece)
    let before = unsafe words[Self.creditsIndex].fetchSubtract(credits)
    precondition(before >= credits, "credits released twice")
  }

  private func admitLarge(_ pieceBytes: Int) throws(LugeError) {
    guard pieceBytes <= settings.largestPiece else {
      throw LugeError(
        .tooLarge, "the commit does not fit into the redo ring",
        expected: "at most \(settings.largestPiece) bytes", found: "\(pieceBytes)")
    }
    let credits = UInt64(pieceBytes * Self.reservationsOfLargePiece)
    // One at a time: two that hold credits and wait for each other's room would wait for ever.
    try locking(largeLock)
    defer { largeLock.unlock() }
    _ = unsafe words[Self.creditsIndex].fetchAdd(credits)
    do { try waitForRoom() } catch {
      _ = unsafe words[Self.creditsIndex].fetchSubtract(credits)
      throw error
    }
  }

  /// Whether it takes commits: what `checkUsable` throws about.
  @inline(__always)
  var isUsable: Bool {
    let isClosed = unsafe words[Self.closedIndex].loadRelaxed() != 0
    return !failureCell.isSet && !isClosed
  }

  /// What `admit` did once more, if that needs no waiting. Credits taken then are still held.
  func admitAgain() -> Bool { failureCell.error == nil && hasRoom() }

  private func waitForRoom() throws(LugeError) {
    try checkUsable()
    wakeFlusher()
    if hasRoom() { return }
    var attempt = 0
    while true {
      let seen = tail
      if isDurable(seen) {
        // Nothing to flush: the room is others' credits. They are given back soon.
        do { try threads.backOff(attempt: attempt) } catch {
          throw LugeError(error, doing: "waiting for room in the redo log")
        }
        attempt += 1
      } else {
        probe("log.admissionFlushed")
        try flush(through: seen)
      }
      try checkUsable()
      if hasRoom() { return }
    }
  }

  /// Has the background thread flush before writers run out of room, and must do it themselves.
  private func wakeFlusher() {
    let start = durable
    if tail &- start < settings.flushedAhead { return }
    let flusher = unsafe words[Self.flusherIndex].load()
    if unsafe flusher == 0 || words[Self.flushWishIndex].loadRelaxed() != 0 { return }
    if unsafe words[Self.flushWishIndex].exchange(1) != 0 { return }
    probe("log.flusherWoken")
    threads.unpark(ThreadID(rawValue: flusher - 1))
  }

  /// Wakes that thread, if there is one, wherever it waits: it looks at what it was asked for by others.
  func callFlusher() {
    let flusher = unsafe words[Self.flusherIndex].load()
    if flusher == 0 { return }
    if unsafe words[Self.sleepersIndex].loadSequential() != 0 { wakeSleepers() }
    threads.unpark(ThreadID(rawValue: flusher - 1))
  }

  /// From here on the calling thread is the one that flushes in the background.
  func becomeFlusher() {
    unsafe words[Self.flusherIndex].store(threads.current.rawValue + 1)
  }

  /// Whether that thread is asked to flush; asking is over when it begins.
  func takeFlushWish() -> Bool {
    if unsafe words[Self.flushWishIndex].load() == 0 { return false }
    return unsafe words[Self.flushWishIndex].exchange(0) != 0
  }

  private func hasRoom() -> Bool {
    // Credits before the tail: credits given back imply a reservation that the tail then shows.
    let credits = unsafe words[Self.creditsIndex].load()
    let needed = tail + settings.slack + RedoSettings.flushReserve + credits
    return needed <= durable + UInt64(settings.ringBytes)
  }

  private func tooManyThreads() -> LugeError {
    LugeError(
      .resourceExhausted, "more threads than the database is set up for write at once",
      expected: "at most \(settings.maximumThreads)")
  }

  // MARK: Reservation and filling: callable while pinned, never waits

  /// Reserves the next `bytes` (a multiple of 8, at least 24) of the stream and returns their LSN;
  /// nil when the log has failed or was closed. The caller must fill all of it, soon.
  @inline(__always)
  func reserve(_ bytes: Int) -> UInt64? {
    if !isUsable { return nil }
    let lsn = unsafe words[Self.tailIndex].fetchAdd(UInt64(bytes))
    if unsafe words[Self.sleepersIndex].loadSequential() != 0 { wakeSleepers() }
    return lsn
  }

  /// Fills a reserved piece of `RedoFormat.pieceBytes(payload: payload.count)` bytes.
  func fill(_ lsn: UInt64, kind: RedoKind, payload: UnsafeRawBufferPointer) {
    let bytes = RedoFormat.pieceBytes(payload: payload.count)
    checkInRing(lsn, bytes)
    unsafe ring.fill(lsn, length: bytes, kind: kind, payload: payload)
  }

  /// Fills a reserved piece with a commit of one operation; `value` nil is a delete. The piece has
  /// `RedoLog.operationPieceBytes` bytes. `isApart`: the value is a reference.
  @inline(__always)
  func fillOperation(
    _ lsn: UInt64, bytes: Int, tree: UInt64, key: ByteView, value: ByteView?,
    isApart: Bool = false
  ) {
    checkInRing(lsn, bytes)
    ring.fillOperation(lsn, length: bytes, tree: tree, key: key, value: value, isApart: isApart)
  }

  /// The bytes to reserve for a commit of one operation; `value` nil is a delete.
  @inline(__always)
  static func operationPieceBytes(tree: UInt64, key: Int, value: Int?) -> Int {
    RedoFormat.pieceBytes(
      payload: RedoPayload.operationBytes(tree: tree, key: key, value: value))
  }

  /// Makes a reserved piece of `bytes` nothing.
  func fillPad(_ lsn: UInt64, bytes: Int) {
    checkInRing(lsn, bytes)
    ring.fillPad(lsn, length: bytes)
  }

  /// Whoever passed admission has room; what fails here is a caller that did not.
  @inline(__always)
  private func checkInRing(_ lsn: UInt64, _ bytes: Int) {
    // LSNs and sizes are far from overflow.
    precondition(
      lsn &+ UInt64(truncatingIfNeeded: bytes)
        <= durable &+ UInt64(truncatingIfNeeded: settings.ringBytes),
      "a piece was reserved without admission")
  }

  // MARK: Flush

  /// Makes everything reserved below `target` durable, or below the tail of now. Threads that come
  /// together share one write and one sync. Call it unpinned.
  ///
  /// Throws `.noSpace`: nothing is lost, a later call tries again. Any other failed write and every
  /// failed sync is final: this call throws the error, every later one `.failed`.
  ///
  /// - Parameter forCheckpoint: it may take the segment that is kept back on a full disk.
  func flush(
    through target: UInt64? = nil, forCheckpoint: Bool = false
  ) throws(LugeError) {
    let now = tail
    let goal = min(target ?? now, now)
    var hasWaited = false
    while !isDurable(goal) {
      if hasWaited { try checkUsable() }
      let role: FlushQueue.Role
      do { role = try flushes.enter(goal: goal) } catch { throw waitError(error) }
      if case .leads = role { return try lead(goal, forCheckpoint) }
      hasWaited = true
    }
    if hasWaited { probe("log.flushWaited") }
  }

  /// Flushes for all that wait.
  private func lead(_ goal: UInt64, _ forCheckpoint: Bool) throws(LugeError) {
    var isDone = false
    defer { flushes.leave({ lsn in isDurable(lsn) }, failed: !isDone) }
    do { try flushes.gather() } catch { throw waitError(error) }
    try locking(flushLock)
    defer { flushLock.unlock() }
    if !isDurable(goal) { try checkUsable() }
    store.mayUseLastSpare = forCheckpoint
    while !isDurable(goal) {
      if sealedEnd == groupStart { try seal() }
      try writeGroup()
    }
    isDone = true
  }

  private func waitError(_ error: PlatformError) -> LugeError {
    LugeError(error, doing: "waiting for the redo log")
  }

  /// Ends the group: reserves a pad up to a block and the next header, fills this group's header.
  private func seal() throws(LugeError) {
    do { try faultPoint("log.seal") } catch {
      throw LugeError(error, doing: "ending a group of the redo log")
    }
    let block = UInt64(RedoFormat.blockBytes)
    var end: UInt64
    var padStart: UInt64
    repeat {
      padStart = tail
      end = (padStart + block - 1) / block * block
      // A pad must hold a header; a gap shorter than that takes a block more.
      if end != padStart, end - padStart < UInt64(RedoFormat.headerBytes) { end += block }
    } while unsafe !words[Self.tailIndex].compareExchange(
      expected: padStart, desired: end + UInt64(RedoFormat.groupBytes))
    if end > padStart { ring.fillPad(padStart, length: Int(end - padStart)) }
    fillGroupHeader()
    sealedEnd = end
  }

  private func fillGroupHeader() {
    let group = RedoGroup(
      incarnation: incarnation, durable: groupStart, superblockSequence: superblockSequence)
    // 24 bytes on the stack.
    unsafe withUnsafeTemporaryAllocation(
      byteCount: RedoFormat.groupPayloadBytes, alignment: 8
    ) { payload in
      unsafe group.encode(into: payload)
      unsafe ring.fill(
        groupStart, length: RedoFormat.groupBytes, kind: .group,
        payload: UnsafeRawBufferPointer(payload))
    }
  }

  private func writeGroup() throws(LugeError) {
    try waitUntilWhole()
    noteGroup()
    do {
      // All that these pieces name was appended before they were filled.
      try prerequisite?.makeDurable()
      try store.prepare(from: groupStart, to: sealedEnd, superblockSequence: superblockSequence)
      try store.write(ring, from: groupStart, to: sealedEnd)
      try store.sync()
    } catch {
      if error.code != .noSpace || store.syncFailed || prerequisite?.hasFailed ?? false {
        failureCell.set(error)
      }
      throw error
    }
    store.note(groupOf: sealedEnd - groupStart)
    groupStart = sealedEnd
    unsafe words[Self.durableIndex].store(groupStart)
  }

  /// Every piece of the group was reserved by a thread that fills it without waiting for anything.
  private func waitUntilWhole() throws(LugeError) {
    let block = UInt64(RedoFormat.blockBytes)
    var index = groupStart / block
    let end = sealedEnd / block
    var attempt = 0
    while index < end {
      if ring.isWhole(block: index) {
        index += 1
        attempt = 0
        continue
      }
      do { try threads.backOff(attempt: attempt) } catch {
        throw LugeError(error, doing: "waiting for commits to be filled in")
      }
      attempt += 1
    }
  }

  /// Tells probes what kind of group this is: looks at a few pieces only.
  private func noteGroup() {
    var position = groupStart
    var commits = 0
    var looked = 0
    while position < sealedEnd, looked < 8 {
      let piece = ring.piece(at: position)
      if piece.kind == RedoKind.commit.rawValue { commits += 1 }
      let next = position + piece.length
      if store.segmentBase(of: position) != store.segmentBase(of: next - 1) {
        probe("log.pieceSpansSegments")
      }
      position = next
      looked += 1
    }
    if commits > 1 { probe("log.groupOfMany") }
  }

  private func locking(_ lock: Lock) throws(LugeError) {
    do { try lock.lock() } catch { throw waitError(error) }
  }

  // MARK: Segments

  /// Frees the segments that hold nothing at or above `lsn`. Call it after a superblock with
  /// `R >= lsn` is durable, never before. Throws only `.killed`; a file that cannot be removed now is tried again.
  ///
  /// - Parameter eraIsNamed: that superblock names this log's era, so earlier ones end where it begins.
  func release(below lsn: UInt64, eraIsNamed: Bool = true) throws(LugeError) {
    try store.release(below: lsn, eraIsNamed: eraIsNamed)
  }

  /// Makes one spare segment ready if there are fewer than `wanted`: background work, so that a flush
  /// need not. Two while much is written: the second shows in time that space runs out, while the
  /// first is still there for a checkpoint.
  /// Returns whether it made one.
  @discardableResult
  func prepareSpare(wanted: Int = 2) throws(LugeError) -> Bool {
    try locking(spareLock)
    defer { spareLock.unlock() }
    try checkUsable()
    do {
      return try store.prepareSpare(wanted: wanted, superblockSequence: superblockSequence)
    } catch {
      if store.syncFailed { failureCell.set(error) }
      throw error
    }
  }

  /// Removes spare segments down to `count`: for a checkpoint that found no room on the disk, and when
  /// nothing is written any more. Returns whether there were more.
  @discardableResult
  func giveBackSpares(keeping count: Int = 0) throws(LugeError) -> Bool {
    try store.giveBackSpares(keeping: count)
  }

  /// Bytes of all redo files.
  var diskBytes: Int64 { store.diskBytes }
}
