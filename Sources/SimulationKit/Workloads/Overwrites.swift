internal import EngineKit

/// A few keys written again and again, with checkpoints in between: most of what is on disk is soon out of
/// date, so that segments are cleaned and used again.
public struct Overwrites: Workload {
  /// Keys there are.
  public var keys: Int
  public init(keys: Int = 48) { self.keys = keys }

  public var summary: String { "\(keys) keys written again and again, checkpoints in between" }
  public var largestWrite: Int { 2048 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    OverwritesRun(
      keys: keys, valueLength: 64 << Int(lane.draw("valueLength", below: 5)),
      checkpointOneIn: 8 << Int(lane.draw("checkpointRarity", below: 4)),
      checkpoints: world.capabilities.contains(.checkpoints))
  }
}

extension Workload where Self == Overwrites {
  public static var overwrites: Overwrites { Overwrites() }
}

final class OverwritesRun: WorkloadRun {
  private let keys: Int
  private let valueLength: Int
  private let checkpointOneIn: Int
  private let checkpoints: Bool

  init(keys: Int, valueLength: Int, checkpointOneIn: Int, checkpoints: Bool) {
    self.keys = keys
    self.valueLength = valueLength
    self.checkpointOneIn = checkpointOneIn
    self.checkpoints = checkpoints
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(3 * checkpointOneIn, in: lane) else { return false }
    if dice == 1 {
      _ = client.perform(checkpoints ? .checkpoint : .flush)
      return true
    }
    if dice == 2 {
      _ = client.perform(.backgroundWork)
      return true
    }
    // Half of the writes go to an eighth of the keys.
    let isHot = lane.draw("hot", below: 2) == 0
    let number = lane.draw("key", below: UInt64(isHot ? max(1, keys / 8) : keys))
    let key = Payload.decimal(number, digits: 4)
    if dice % 8 == 3 {
      _ = client.perform(.get(key, in: .default))
    } else {
      _ = client.perform(.insert(client.value(length: valueLength), for: key, in: .default))
    }
    return true
  }
}
