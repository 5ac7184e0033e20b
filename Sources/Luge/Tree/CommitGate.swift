internal import Platform

/// Holds single-key writers back at admission for a short while, so that a batch that keeps losing
/// to them gets through.
///
/// Invariants: closed at most until its deadline, whatever becomes of the closers; each opens it
/// once, and the last one's opening counts.
final class CommitGate: Sendable {
  /// 0 when open, else the deadline in nanoseconds of the clock.
  private let deadline = AtomicWord(0)
  private let closers = AtomicWord(0)

  /// How long one closing lasts at most, in nanoseconds.
  static let longest: UInt64 = 10_000_000

  @inline(__always) var isOpen: Bool { deadline.load() == 0 }

  func close(_ clock: any Clock) {
    probe("tree.gateClosed")
    _ = closers.fetchAdd(1)
    deadline.store(max(1, clock.now().nanoseconds &+ CommitGate.longest))
  }

  func open() {
    // One that closes it right now may lose this time of waiting; it has its next.
    if closers.fetchSubtract(1) == 1 { deadline.store(0) }
  }

  /// Waits, unpinned, until the gate opens or its deadline has passed. Throws only `.killed`.
  func wait(_ platform: PlatformServices) throws(LugeError) {
    var attempt = 0
    while true {
      let until = deadline.load()
      if until == 0 || platform.clock.now().nanoseconds >= until { return }
      do { try platform.threads.backOff(attempt: attempt) } catch {
        throw LugeError(error, doing: "waiting for a batch")
      }
      attempt += 1
    }
  }
}
