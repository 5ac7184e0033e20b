internal import EngineKit

/// Cursors that are held for long, while what they show is overwritten, removed, evicted, cleaned and
/// checkpointed around them: each shows the state at the moment of its making, to its last entry.
public struct HeldCursors: Workload {
  public init() {}

  public var summary: String { "cursors held across overwrites, evictions and checkpoints" }
  public var largestWrite: Int { 2048 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    HeldCursorsRun(
      keys: 8 << Int(lane.draw("keys", below: 6)),
      valueLength: 8 + Int(lane.draw("valueLength", below: 600)),
      cursors: 1 + Int(lane.draw("cursors", below: 3)),
      beginOneIn: 8 << Int(lane.draw("beginRarity", below: 4)),
      checkpoints: world.capabilities.contains(.checkpoints))
  }
}

extension Workload where Self == HeldCursors {
  public static var heldCursors: HeldCursors { HeldCursors() }
}

final class HeldCursorsRun: WorkloadRun {
  private let keys: Int
  private let valueLength: Int
  /// Held by one client at once.
  private let cursors: Int
  private let beginOneIn: Int
  private let checkpoints: Bool

  init(keys: Int, valueLength: Int, cursors: Int, beginOneIn: Int, checkpoints: Bool) {
    self.keys = keys
    self.valueLength = valueLength
    self.cursors = cursors
    self.beginOneIn = beginOneIn
    self.checkpoints = checkpoints
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(16 * beginOneIn, in: lane) else { return false }
    let held = client.slowScans.filter { !$0.isOver }
    if dice % beginOneIn == 1 && held.count < cursors {
      _ = client.beginScan(range(lane), direction(lane), in: .default)
      return true
    }
    switch dice / beginOneIn {
    case 0...2:
      if held.isEmpty { return write(client, lane) }
      let cursor = held[Int(lane.draw("cursor", below: UInt64(held.count)))]
      cursor.advance(1 + Int(lane.draw("entries", below: 8)))
    case 3: _ = client.perform(checkpoints ? .checkpoint : .flush)
    case 4: _ = client.perform(.evict)
    case 5: _ = client.perform(.clean)
    case 6: _ = client.perform(.flush)
    case 7: _ = client.perform(.get(key(lane), in: .default))
    case 8, 9: _ = client.perform(.remove(key(lane), in: .default))
    default: return write(client, lane)
    }
    return true
  }

  private func write(_ client: Client, _ lane: ChoiceLane) -> Bool {
    _ = client.perform(
      .insert(client.value(length: valueLength), for: key(lane), in: .default))
    return true
  }

  private func key(_ lane: ChoiceLane) -> Bytes {
    Payload.decimal(lane.draw("key", below: UInt64(keys)), digits: 4)
  }

  private func direction(_ lane: ChoiceLane) -> Direction {
    lane.draw("direction", below: 2) == 0 ? .forward : .backward
  }

  private func range(_ lane: ChoiceLane) -> KeyRange {
    if lane.draw("bounded", below: 3) < 2 { return .all }
    let one = key(lane)
    let other = key(lane)
    return one.precedes(other)
      ? KeyRange(lower: one, upper: other) : KeyRange(lower: other, upper: one)
  }
}
