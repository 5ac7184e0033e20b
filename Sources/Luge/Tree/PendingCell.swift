internal import Platform

/// What pages on disk may lack, and who is looking at it: there from an opening after a crash until a
/// checkpoint has brought every page up to date.
///
/// Safe: `pending` and `source` are set before the cell is shared, and taken away when nobody who
/// entered is left.
final class PendingCell: @unchecked Sendable {
  /// Bit 0: there is something; the rest counts, by twos, who is inside.
  private let word = AtomicWord(0)
  private var held: Held?

  struct Held {
    let pending: PendingRedo
    let source: PendingSource
    /// For each tree of `pending`.
    let marks: [Mark]

    func isDone(_ place: Int) -> Bool { marks[place].word.load() != 0 }
    func setDone(_ place: Int) { marks[place].word.store(1) }
  }

  /// Of a tree: 1 once its pages lack nothing.
  final class Mark: Sendable {
    let word = AtomicWord(0)
  }

  /// Whether pages may lack anything.
  var isAttached: Bool { word.load() & 1 != 0 }

  /// Nil when nothing is lacking; else `leave` afterwards.
  @inline(__always)
  func enter() -> Held? {
    if word.load() & 1 == 0 { return nil }
    return enterSlowly()
  }

  @inline(never)
  private func enterSlowly() -> Held? {
    if word.fetchAdd(2) & 1 == 0 {
      leave()
      return nil
    }
    return held
  }

  func leave() { _ = word.fetchSubtract(2) }

  /// At opening, before anybody looks.
  func attach(_ pending: PendingRedo, _ source: PendingSource) {
    held = Held(
      pending: pending, source: source, marks: (0..<pending.treeCount).map { _ in Mark() })
    _ = word.fetchOr(1)
  }

  /// Every page has what it lacked. Waits for those who are inside; one caller at a time. Answers the
  /// bytes of memory that this gives back.
  func detach(_ context: TreeContext) throws(LugeError) -> Int {
    if word.fetchAnd(~1) & 1 == 0 { return 0 }
    var attempt = 0
    while word.load() != 0 {
      try context.backOff(attempt, "waiting for who replays the redo")
      attempt += 1
    }
    defer { held = nil }
    return held?.pending.bytes ?? 0
  }
}
