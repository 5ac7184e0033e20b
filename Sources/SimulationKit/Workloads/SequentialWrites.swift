public import EngineKit
internal import HistoryKit

/// sled's crash subject of the same name: one client writes a number to every key of a ring in turn, and
/// one more on the next way round. After a crash the numbers along the ring fall by one, at most once:
/// what survived is a prefix of what was written.
public struct SequentialWrites: Workload {
  /// Keys of the ring.
  public var keys: Int
  public init(keys: Int = 64) { self.keys = keys }

  public var summary: String { "one client writes round a ring of \(keys) keys" }
  public var largestWrite: Int { 1024 }
  public var requiredCapabilities: EngineCapabilities { .prefixDurability }
  public var clients: ClosedRange<Int> { 1...1 }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    SequentialWritesRun(
      keys: keys, valueLength: 8 + Int(lane.draw("valueLength", below: 200)),
      flushOneIn: 4 << Int(lane.draw("flushRarity", below: 6)))
  }
}

extension Workload where Self == SequentialWrites {
  public static var sequentialWrites: SequentialWrites { SequentialWrites() }
}

final class SequentialWritesRun: WorkloadRun {
  private let keys: Int
  private let valueLength: Int
  private let flushOneIn: Int
  /// Writes done so far, as far as they survived: the next goes to key `written % keys`.
  private var written = 0

  init(keys: Int, valueLength: Int, flushOneIn: Int) {
    self.keys = keys
    self.valueLength = valueLength
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    guard let dice = client.nextKind(flushOneIn, in: client.lane) else { return false }
    if dice == 1 {
      _ = client.perform(.flush)
      return true
    }
    let key = Payload.decimal(UInt64(written % keys), digits: 4)
    // The way round, in twelve digits, and filler.
    let value = Payload.decimal(
      UInt64(written / keys), digits: 12,
      prefix: Bytes(repeating: 0x2E, count: max(0, valueLength - 12)))
    let outcome = client.perform(.insert(value, for: key, in: .default))
    // After an error nobody knows whether it was written; writing the same again does no harm.
    if !outcome.isFailure { written += 1 }
    return true
  }

  func recovered(_ state: RecoveredState) -> [String] {
    let entries = state.entries(in: .default)
    var ways: [UInt64] = []
    var index = 0
    while index < entries.count {
      let entry = entries[index]
      guard entry.key == Payload.decimal(UInt64(index), digits: 4),
        let way = Payload.number(Bytes(entry.value.suffix(12)))
      else { return ["entry \(index) of the ring is out of place: key \(entry.key)"] }
      ways.append(way)
      index += 1
    }
    var drop = ways.count
    index = 1
    while index < ways.count {
      if ways[index] != ways[index - 1] {
        let fallsByOne = ways[index] + 1 == ways[index - 1]
        if !fallsByOne || drop != ways.count || ways.count != keys {
          return ["the ring goes from \(ways[index - 1]) to \(ways[index]) at key \(index)"]
        }
        drop = index
      }
      index += 1
    }
    if let first = ways.first, first > 0, ways.count != keys {
      return ["the ring has \(ways.count) keys on way \(first)"]
    }
    written = ways.isEmpty ? 0 : Int(ways[0]) * keys + drop
    return []
  }
}
