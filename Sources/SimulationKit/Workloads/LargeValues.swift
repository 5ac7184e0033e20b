internal import EngineKit

/// Values from a few bytes to several pages, under few keys, so that small ones take the place of large
/// ones and the other way round.
public struct LargeValues: Workload {
  /// Bytes of the largest.
  public var largest: Int
  public init(largest: Int = 12 << 10) { self.largest = largest }

  public var summary: String { "values of up to \(largest) bytes under few keys" }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    LargeValuesRun(
      largest: largest, keys: 4 << Int(lane.draw("keys", below: 4)),
      exchanges: world.capabilities.contains(.compareExchange),
      batches: world.capabilities.contains(.batches))
  }
}

extension Workload where Self == LargeValues {
  public static var largeValues: LargeValues { LargeValues() }
}

final class LargeValuesRun: WorkloadRun {
  private let largest: Int
  private let keys: Int
  private let exchanges: Bool
  private let batches: Bool

  init(largest: Int, keys: Int, exchanges: Bool, batches: Bool) {
    self.largest = largest
    self.keys = keys
    self.exchanges = exchanges
    self.batches = batches
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(32, in: lane) else { return false }
    switch dice {
    case 0: _ = client.perform(.flush)
    case 1: _ = client.perform(.backgroundWork)
    case 2: _ = client.perform(.scan(.all, .forward, limit: 8, in: .default))
    case 3: _ = client.perform(.scan(.all, .backward, limit: 8, in: .default))
    case 4...8: _ = client.perform(.remove(key(lane), in: .default))
    case 9...14: _ = client.perform(.get(key(lane), in: .default))
    case 15...17 where exchanges: exchange(client, lane)
    case 18 where batches:
      let writes = [0, 1].map { _ in BatchWrite(key(lane), client.value(length: length(lane) / 2)) }
      _ = client.perform(.batch(writes))
    default:
      _ = client.perform(.insert(client.value(length: length(lane)), for: key(lane), in: .default))
    }
    return true
  }

  /// Expects what was just seen there.
  private func exchange(_ client: Client, _ lane: ChoiceLane) {
    let key = key(lane)
    guard case .value(let seen) = client.perform(.get(key, in: .default)) else { return }
    _ = client.perform(
      .compareExchange(
        key, expected: seen, desired: client.value(length: length(lane)), in: .default))
  }

  private func key(_ lane: ChoiceLane) -> Bytes {
    Payload.decimal(lane.draw("key", below: UInt64(keys)), digits: 4)
  }

  /// As many of each magnitude, and every byte's difference near a power of two.
  private func length(_ lane: ChoiceLane) -> Int {
    let magnitude = 16 << Int(lane.draw("magnitude", below: 10))
    let length = magnitude + Int(lane.draw("more", below: UInt64(magnitude))) - 8
    return min(largest, max(8, length))
  }
}
