internal import Platform

/// What all trees of one database share.
final class TreeContext: Sendable {
  let log: RedoLog
  let epochs: EpochReclaimer
  let platform: PlatformServices
  let settings: TreeSettings
  let pages: PageStore
  /// Pages that are being read.
  let loads: PageLoads
  let gate = CommitGate()
  let codecs = CodecContexts()
  /// Held by the one batch that is being committed. Waited for unpinned.
  private let batchLock: Lock

  init(
    log: RedoLog, epochs: EpochReclaimer, pages: PageStore, platform: PlatformServices,
    settings: TreeSettings
  ) {
    self.log = log
    self.pages = pages
    loads = PageLoads(platform)
    self.epochs = epochs
    self.platform = platform
    self.settings = settings
    batchLock = Lock(threads: platform.threads)
  }

  /// Reservations that one admission pays for.
  static let reservations: UInt64 = 4

  /// The only place where a writing operation waits: for the gate and for log room. Unpinned.
  /// Afterwards the thread may reserve four ordinary pieces, and one of `pieceBytes` if that is
  /// larger. Answers the size that it admitted: more than asked where the last try met another's
  /// piece that was too large to help with. Then `leave` with that size.
  @inline(__always)
  func admit(_ pieceBytes: Int, passingGate: Bool = false) throws(LugeError) -> Int {
    if !passingGate && !gate.isOpen { try gate.wait(platform) }
    let place = try epochs.place()
    let admitted = max(pieceBytes, Int(place.field(PinLayout.wantedPiece)))
    try log.admit(pieceBytes: admitted)
    place.setField(PinLayout.wantedPiece, 0)
    place.setField(PinLayout.reservations, TreeContext.reservations)
    place.setField(
      PinLayout.largestPiece, UInt64(max(admitted, log.settings.largestOrdinaryPiece)))
    return admitted
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
    place.setField(PinLayout.largestPiece, UInt64(log.settings.largestOrdinaryPiece))
  }

  /// What `reserve` answers besides an LSN.
  static let refused = UInt64.max
  static let needsAdmission = UInt64.max - 1

  /// Takes `bytes` of the log without waiting, out of what the last admission paid for. Answers the
  /// LSN, or `needsAdmission`, or `refused` when the log takes nothing any more.
  func reserve(_ bytes: Int, _ pin: Pin) -> UInt64 {
    let left = pin.field(PinLayout.reservations)
    if left == 0 { return TreeContext.needsAdmission }
    if UInt64(bytes) > pin.field(PinLayout.largestPiece) {
      pin.setField(PinLayout.wantedPiece, UInt64(bytes))
      return TreeContext.needsAdmission
    }
    pin.setField(PinLayout.reservations, left &- 1)
    if bytes > log.settings.largestOrdinaryPiece {
      // The credits are for one such piece.
      pin.setField(PinLayout.largestPiece, UInt64(log.settings.largestOrdinaryPiece))
    }
    return log.reserve(bytes) ?? TreeContext.refused
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
    do { try faultPoint(name) } catch { throw LugeError(error, doing: "changing a tree") }
  }

  /// Takes the batch lock. Unpinned.
  func lockBatch() throws(LugeError) {
    do { try batchLock.lock() } catch { throw LugeError(error, doing: "waiting for a batch") }
  }

  func unlockBatch() { batchLock.unlock() }
}
