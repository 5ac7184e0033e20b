internal import EngineKit

/// Fills a tree, removes everything again, and so on: leaves split on the way up, run empty and merge on the
/// way down, and what they took on disk is to be had again.
public struct FillAndEmpty: Workload {
  public init() {}

  public var summary: String { "fills a tree and removes everything again, in turns" }
  public var largestWrite: Int { 1024 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    FillAndEmptyRun(
      keys: 16 << Int(lane.draw("keys", below: 5)),
      valueLength: 8 + Int(lane.draw("valueLength", below: 300)),
      descends: lane.draw("descends", below: 2) == 1,
      checkpoints: world.capabilities.contains(.checkpoints))
  }
}

extension Workload where Self == FillAndEmpty {
  public static var fillAndEmpty: FillAndEmpty { FillAndEmpty() }
}

final class FillAndEmptyRun: WorkloadRun {
  private let keys: Int
  private let valueLength: Int
  private let descends: Bool
  private let checkpoints: Bool
  /// Keys still to be written or removed in this phase.
  private var left: Int
  private var isFilling = true

  init(keys: Int, valueLength: Int, descends: Bool, checkpoints: Bool) {
    self.keys = keys
    self.valueLength = valueLength
    self.descends = descends
    self.checkpoints = checkpoints
    left = keys
  }

  func step(_ client: Client) -> Bool {
    guard let dice = client.nextKind(64, in: client.lane) else { return false }
    if left == 0 {
      isFilling.toggle()
      left = keys
      _ = client.perform(checkpoints ? .checkpoint : .flush)
      return true
    }
    switch dice {
    case 0: _ = client.perform(.flush)
    case 1: _ = client.perform(.backgroundWork)
    case 2: _ = client.perform(.scan(.all, .forward, limit: 64, in: .default))
    case 3: _ = client.perform(.scan(.all, .backward, limit: 64, in: .default))
    default:
      left -= 1
      let number = descends != isFilling ? left : keys - 1 - left
      let key = Payload.decimal(UInt64(number), digits: 6)
      _ = client.perform(
        isFilling
          ? .insert(client.value(length: valueLength), for: key, in: .default)
          : .remove(key, in: .default))
    }
    return true
  }
}
