internal import Platform

/// What all trees of one database share.
///
/// Safe: the unretained reference is to an object that this one holds.
@safe final class TreeContext: Sendable {
  let log: RedoLog
  /// The same, for calls that should not count references: `log` keeps it alive.
  let unretainedLog: Unmanaged<RedoLog>
  let epochs: EpochReclaimer
  /// The same, for pins.
  let pins: PinTable
  let platform: PlatformServices
  let settings: TreeSettings
  let pages: PageStore
  /// The value segments.
  let values: PageStore
  /// Records that a pinned thread has unlinked.
  let released = ReleaseStack()
  /// Records of value segments, likewise.
  let releasedValues = ReleaseStack()
  /// 1 once a snapshot has kept a replaced version whose value lies apart: it may stay in its chain for
  /// long after, live though no image names it.
  let keptValues = AtomicWord(0)
  private let stamps = AtomicWord(0)
  let cache: PageCache
  /// The chunks that are in memory.
  let chunks: ChunkClock
  /// Pages that are being read.
  let loads: PageLoads
  /// LSN of the redo record being replayed; 0 when none is.
  let replayLSN = AtomicWord(0)
  let gate = CommitGate()
  private let batches = AtomicWord(0)
  let codecs = CodecContexts()
  /// The threads that evict: the second one helps where writers come to the limit, because much of an
  /// eviction is waiting for what a page has on disk.
  let evictor: Evictor
  let secondEvictor: Evictor
  /// What the redo has for pages on disk.
  let pending = PendingCell()

  init(
    log: RedoLog, epochs: EpochReclaimer, pages: PageStore, values: PageStore,
    platform: PlatformServices, settings: TreeSettings,
    memory: MemoryLimits = MemoryLimits()
  ) {
    self.log = log
    unsafe unretainedLog = Unmanaged.passUnretained(log)
    cache = PageCache(memory, threads: platform.threads)
    chunks = ChunkClock(threads: platform.threads)
    evictor = Evictor(threads: platform.threads)
    secondEvictor = Evictor(threads: platform.threads)
    epochs.account.setGrain(memory.grain)
    epochs.account.setSystemLimit(memory.systemLimit)
    epochs.account.charge(memory.fixed)
    self.pages = pages
    self.values = values
    loads = PageLoads(platform)
    self.epochs = epochs
    pins = epochs.pins
    self.platform = platform
    self.settings = settings
  }

  /// A number never given before: see `Chunk`.
  func newStamp() -> UInt64 { stamps.fetchAdd(1) &+ 1 }

  /// The only place where a writing operation waits: for memory, the gate and log room. Unpinned.
  ///
  /// Afterwards the thread may reserve ordinary pieces of four times the largest in all, and two of
  /// `pieceBytes` if that is larger. What an operation leaves of the former the next ones use up,
  /// as long as four pieces of their own are left. Answers the size that it admitted: more than
  /// asked where the last try met another's piece that was too large to help with. Then `leave`
  /// with that size.
  @inline(__always)
  func admit(
    _ pieceBytes: Int, passingGate: Bool = false, overdraws: Bool = false
  ) throws(LugeError) -> Int {
    try admit(
      pieceBytes, try epochs.place(), passingGate: passingGate, overdraws: overdraws)
  }

  /// The same for the thread that `place` belongs to.
  @inline(__always)
  func admit(
    _ pieceBytes: Int, _ place: Pin, passingGate: Bool = false, overdraws: Bool = false
  ) throws(LugeError) -> Int {
    if !overdraws { try admitMemory() }
    if !passingGate && !gate.isOpen { try gate.wait(platform) }
    if pieceBytes <= log.settings.largestOrdinaryPiece, hasLogBytes(4 &* pieceBytes, place),
      log.isUsable
    {
      return pieceBytes
    }
    return try admitSlowly(pieceBytes, place)
  }

  @inline(never)
  private func admitSlowly(_ pieceBytes: Int, _ place: Pin) throws(LugeError) -> Int {
    let admitted = max(pieceBytes, Int(place.field(PinLayout.wantedPiece)))
    try log.admit(pieceBytes: admitted)
    place.setField(PinLayout.wantedPiece, 0)
    entitle(admitted, place)
    return admitted
  }

  private func entitle(_ pieceBytes: Int, _ place: Pin) {
    let ordinary = log.settings.largestOrdinaryPiece
    place.setField(
      PinLayout.logBytes, UInt64(RedoSettings.reservationsAnAdmission &* ordinary))
    if pieceBytes > ordinary {
      place.setField(PinLayout.largePiece, UInt64(pieceBytes))
      place.setField(PinLayout.largeReservations, UInt64(RedoLog.reservationsOfLargePiece))
    }
  }

  /// Whether ordinary pieces of so many bytes in all may be reserved without a new admission.
  @inline(__always)
  func hasLogBytes(_ bytes: Int, _ pin: Pin) -> Bool {
    pin.field(PinLayout.logBytes) >= UInt64(bytes)
  }

  /// Whether what admission paid for is enough to go on with: others may be helped with it.
  @inline(__always)
  func mayInstall(_ pieceBytes: Int, _ pin: Pin) -> Bool {
    if pieceBytes <= log.settings.largestOrdinaryPiece {
      return hasLogBytes(4 &* pieceBytes, pin)
    }
    return pin.field(PinLayout.largeReservations) == UInt64(RedoLog.reservationsOfLargePiece)
  }

  /// Gives back what `admit` took beyond the ordinary.
  @inline(__always)
  func leave(_ admitted: Int) {
    if admitted > log.settings.largestOrdinaryPiece { leaveLarge(admitted) }
  }

  @inline(never)
  private func leaveLarge(_ pieceBytes: Int) {
    log.releaseCredits(pieceBytes: pieceBytes)
    // The place exists: admission asked for it.
    guard let place = try? epochs.place() else { return }
    place.setField(PinLayout.largePiece, 0)
    place.setField(PinLayout.largeReservations, 0)
  }

  /// What `reserve` answers besides an LSN.
  static let refused = UInt64.max
  static let needsAdmission = UInt64.max - 1

  /// Takes `bytes` of the log without waiting, out of what the last admission paid for. Answers the
  /// LSN, or `needsAdmission`, or `refused` when the log takes nothing any more.
  @inline(__always)
  func reserve(_ bytes: Int, _ pin: Pin) -> UInt64 {
    if bytes <= log.settings.largestOrdinaryPiece {
      let left = pin.field(PinLayout.logBytes)
      guard left >= UInt64(bytes) else { return useUp(pin) }
      pin.setField(PinLayout.logBytes, left &- UInt64(bytes))
    } else if !takeLarge(bytes, pin) {
      return TreeContext.needsAdmission
    }
    return log.reserve(bytes) ?? TreeContext.refused
  }

  /// What is left is too little: the next admission is to start afresh.
  @inline(never)
  private func useUp(_ pin: Pin) -> UInt64 {
    pin.setField(PinLayout.logBytes, 0)
    return TreeContext.needsAdmission
  }

  @inline(never)
  private func takeLarge(_ bytes: Int, _ pin: Pin) -> Bool {
    let left = pin.field(PinLayout.largeReservations)
    guard left > 0, UInt64(bytes) <= pin.field(PinLayout.largePiece) else {
      pin.setField(PinLayout.wantedPiece, UInt64(bytes))
      pin.setField(PinLayout.logBytes, 0)
      return false
    }
    pin.setField(PinLayout.largeReservations, left &- 1)
    return true
  }

  /// The error of a write that the log refused: whatever the log says of itself.
  func refusal() -> LugeError {
    do {
      try log.checkUsable()
      return LugeError(.closed, "the redo log takes no more writes")
    } catch { return error }
  }

  /// Waits briefly. Throws only `.killed`.
  func backOff(_ attempt: Int, _ action: String) throws(LugeError) {
    do { try platform.threads.backOff(attempt: attempt) } catch {
      throw LugeError(error, doing: action)
    }
  }

  /// A place where a simulation may fail the operation, or stop its thread for a while: also while
  /// pinned, because that is where a real thread may lose the processor.
  @inline(__always)
  func interrupt(_ name: StaticString) throws(LugeError) {
    if seamIsArmed { try interruptSimulated(name) }
  }

  // Apart, so that what only a simulation runs takes no registers from the others.
  @inline(never)
  private func interruptSimulated(_ name: StaticString) throws(LugeError) {
    do { try faultPoint(name) } catch { throw LugeError(error, doing: "changing a tree") }
  }

  /// The place of a new batch among all: from 1 up.
  func nextBatchAge() -> UInt64 { batches.fetchAdd(1) + 1 }

  /// Pays for reservations once more without waiting, if the log has the room; `admit` was passed
  /// before with this size. False: leave, and pass admission again.
  func admitAgain(_ pieceBytes: Int, _ pin: Pin) -> Bool {
    guard log.admitAgain() else { return false }
    entitle(pieceBytes, pin)
    return true
  }
}

/// A thread that evicts for others, as they see it.
final class Evictor: Sendable {
  /// Its number; 0 while there is none.
  let thread = AtomicWord(0)
  /// 1 while it works, or is about to.
  let isAwake = AtomicWord(0)
  /// Held by that thread while it evicts, and by whoever needs the pages on disk to stand still.
  let lock: Lock

  init(threads: any Threads) { lock = Lock(threads: threads) }
}
