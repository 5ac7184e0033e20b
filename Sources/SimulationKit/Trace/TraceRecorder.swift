/// Takes in the events of a run. It always keeps the hash and the last events (the *black box*);
/// told to, it keeps all of them, so that two runs of a tape can be compared event by event.
///
/// Safe: the events' memory never leaves this class. Its first `kept` places are initialized.
@safe
public final class TraceRecorder {
  /// The hash so far.
  public private(set) var hash = TraceHash()

  private let keepsAll: Bool
  /// All events, or a ring of the last ones, in which `next` is the place of the oldest once it is
  /// full.
  private var memory: UnsafeMutablePointer<TraceEvent>
  private var capacity: Int
  private var kept = 0
  private var next = 0
  private let names = NameTable()

  /// `lastEvents` is the size of the black box.
  public init(keepsAll: Bool = false, lastEvents: Int = 128) {
    self.keepsAll = keepsAll
    capacity = max(1, lastEvents)
    unsafe memory = .allocate(capacity: capacity)
  }

  // Events are plain values: nothing to deinitialize.
  deinit { unsafe memory.deallocate() }

  public func record(
    _ name: StaticString, thread: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0
  ) {
    hash.add(name: names.contentHash(of: name), thread: thread, a, b, c)
    if next == capacity { makeRoom() }
    unsafe (memory + next).initialize(
      to: TraceEvent(name: name, thread: thread, a: a, b: b, c: c))
    next += 1
    if kept < next { kept = next }
  }

  @inline(never)
  private func makeRoom() {
    if !keepsAll {
      next = 0
      return
    }
    let larger = UnsafeMutablePointer<TraceEvent>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: memory, count: kept)
    unsafe memory.deallocate()
    unsafe memory = larger
    capacity *= 2
  }

  /// The events kept, oldest first: all, or the last ones.
  public var events: [TraceEvent] {
    var list: [TraceEvent] = []
    list.reserveCapacity(kept)
    // A ring that has not gone round begins at 0.
    var index = kept == capacity && !keepsAll ? next : 0
    while list.count < kept {
      if index == kept { index = 0 }
      list.append(unsafe memory[index])
      index += 1
    }
    return list
  }

  /// The last events of the run, oldest first.
  public func blackBox(_ count: Int = 64) -> [TraceEvent] { Array(events.suffix(count)) }

  /// The first place at which two runs, both recorded whole, did different things. Nil when they
  /// did the same.
  public static func firstDifference(
    between left: TraceRecorder, _ right: TraceRecorder
  ) -> TraceDifference? {
    precondition(left.keepsAll && right.keepsAll, "compares runs that were recorded whole")
    let (leftEvents, rightEvents) = (left.events, right.events)
    var index = 0
    while index < leftEvents.count || index < rightEvents.count {
      let one = index < leftEvents.count ? leftEvents[index] : nil
      let other = index < rightEvents.count ? rightEvents[index] : nil
      if one != other {
        let before = Array(leftEvents[max(0, index - 8)..<index])
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
