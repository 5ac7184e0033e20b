/// The last events of a run, for a report. Older ones are forgotten, so that a long run takes
/// bounded memory; checkers keep what they need themselves.
///
/// Invariant: `ring.count <= capacity`; once full, `next` is the place of the oldest event.
public struct History: Sendable {
  public struct Record: Sendable {
    /// The place in the order of all events, from 0.
    public var sequence: Int
    /// The caller's step counter.
    public var step: Int
    public var event: HistoryEvent
  }

  public let capacity: Int
  private var ring: [Record] = []
  private var next = 0
  /// Events ever appended.
  public private(set) var total = 0

  /// Keeps the last `capacity` events; at least one.
  public init(capacity: Int = 512) {
    self.capacity = max(1, capacity)
    ring.reserveCapacity(min(self.capacity, 64))
  }

  public mutating func append(_ event: HistoryEvent, sequence: Int, step: Int) {
    let record = Record(sequence: sequence, step: step, event: event)
    total += 1
    if ring.count < capacity {
      ring.append(record)
      return
    }
    ring[next] = record
    next += 1
    if next == capacity { next = 0 }
  }

  /// What is kept, oldest first.
  public var records: [Record] { Array(ring[next...] + ring[..<next]) }
}
