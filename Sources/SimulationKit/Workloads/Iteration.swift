internal import EngineKit

/// sled's crash subject of the same name: keys that stay throughout, others that come and go between them, and
/// scans in both directions meanwhile. Each key that stays is met once, in order.
public struct Iteration: Workload {
  /// Keys that stay.
  public var keys: Int
  public init(keys: Int = 32) { self.keys = keys }

  public var summary: String { "scans both ways over \(keys) keys that stay, others come and go" }
  public var largestWrite: Int { 1024 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    IterationRun(
      keys: min(keys, max(1, world.operations / 4)),
      valueLength: 8 + Int(lane.draw("valueLength", below: 100)),
      flushOneIn: 16 << Int(lane.draw("flushRarity", below: 4)))
  }
}

extension Workload where Self == Iteration {
  public static var iteration: Iteration { Iteration() }
}

final class IterationRun: WorkloadRun {
  private let keys: Int
  private let valueLength: Int
  private let flushOneIn: Int
  private var loaded = 0

  init(keys: Int, valueLength: Int, flushOneIn: Int) {
    self.keys = keys
    self.valueLength = valueLength
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    if loaded < keys {
      let lane = client.lane("load")
      guard client.nextKind(1, in: lane) != nil else {
        loaded = keys
        return true
      }
      let key = Payload.decimal(UInt64(loaded), digits: 4)
      loaded += 1
      _ = client.perform(.insert(client.value(length: valueLength), for: key, in: .default))
      return true
    }
    let lane = client.lane
    guard let dice = client.nextKind(16 * flushOneIn, in: lane) else { return false }
    if dice % flushOneIn == 1 {
      _ = client.perform(.flush)
      return true
    }
    switch dice / flushOneIn {
    case 0: _ = client.perform(.scan(.all, .forward, limit: .max, in: .default))
    case 1: _ = client.perform(.scan(.all, .backward, limit: .max, in: .default))
    case 2: _ = client.perform(.scan(range(lane), .forward, limit: 16, in: .default))
    case 3: _ = client.perform(.scan(range(lane), .backward, limit: 16, in: .default))
    case 4...10:
      let key = passingKey(lane)
      _ = client.perform(.insert(client.value(length: valueLength), for: key, in: .default))
    default: _ = client.perform(.remove(passingKey(lane), in: .default))
    }
    return true
  }

  /// A key between two that stay.
  private func passingKey(_ lane: ChoiceLane) -> Bytes {
    let number = lane.draw("key", below: UInt64(keys) * 8)
    return Payload.decimal(number / 8, digits: 4) + [0x61 + UInt8(number % 8)]
  }

  private func range(_ lane: ChoiceLane) -> KeyRange {
    let bounds = lane.draw("range", below: UInt64(keys) * UInt64(keys))
    let one = Payload.decimal(bounds / UInt64(keys), digits: 4)
    let other = Payload.decimal(bounds % UInt64(keys), digits: 4)
    return one.precedes(other)
      ? KeyRange(lower: one, upper: other) : KeyRange(lower: other, upper: one)
  }
}
