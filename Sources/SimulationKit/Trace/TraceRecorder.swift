/// Takes in the events of a run. It always keeps the hash and the last events (the *black box*);
/// told to, it keeps all of them, so that two runs of a tape can be compared event by event.
public final class TraceRecorder {
  /// The hash so far.
  public private(set) var hash = TraceHash()

  private let keepsAll: Bool
  /// All events, or a ring of the last ones.
  private var kept: [TraceEvent] = []
  private let ringSize: Int
  private var ringStart = 0
  private let names = NameTable()

  /// `lastEvents` is the size of the black box.
  public init(keepsAll: Bool = false, lastEvents: Int = 128) {
    self.keepsAll = keepsAll
    ringSize = max(1, lastEvents)
    if !keepsAll { kept.reserveCapacity(ringSize) }
  }

  public func record(
    _ name: StaticString, thread: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0
  ) {
    hash.add(name: names.contentHash(of: name), thread: thread, a, b, c)
    let event = TraceEvent(name: name, thread: thread, a: a, b: b, c: c)
    if keepsAll || kept.count < ringSize {
      kept.append(event)
    } else {
      kept[ringStart] = event
      ringStart += 1
      if ringStart == ringSize { ringStart = 0 }
    }
  }

  /// The events kept, oldest first: all, or the last ones.
  public var events: [TraceEvent] {
    if ringStart == 0 { return kept }
    return Array(kept[ringStart...]) + Array(kept[..<ringStart])
  }

  /// The last events of the run, oldest first.
  public func blackBox(_ count: Int = 64) -> [TraceEvent] { Array(events.suffix(count)) }

  /// The first place at which two runs, both recorded whole, did different things. Nil when they
  /// did the same.
  public static func firstDifference(
    between left: TraceRecorder, _ right: TraceRecorder
  ) -> TraceDifference? {
    precondition(left.keepsAll && right.keepsAll, "compares runs that were recorded whole")
    var index = 0
    while index < left.kept.count || index < right.kept.count {
      let one = index < left.kept.count ? left.kept[index] : nil
      let other = index < right.kept.count ? right.kept[index] : nil
      if one != other {
        let before = Array(left.kept[max(0, index - 8)..<index])
        return TraceDifference(index: index, first: one, second: other, before: before)
      }
      index += 1
    }
    return nil
  }
}

/// Where two runs of one tape part.
public struct TraceDifference: CustomStringConvertible {
  /// The number of events on which they agree.
  public var index: Int
  /// What each did next; nil where it had ended.
  public var first: TraceEvent?
  public var second: TraceEvent?
  /// The events just before, which both did.
  public var before: [TraceEvent]

  public var description: String {
    var lines = ["the runs part at event \(index)"]
    for event in before { lines.append("  both    \(event)") }
    lines.append("  first   \(first?.description ?? "(ended)")")
    lines.append("  second  \(second?.description ?? "(ended)")")
    return lines.joined(separator: "\n")
  }
}
