public import EngineKit
internal import HistoryKit

/// sled's crash subject of the same name: each batch writes one number to all of a client's keys, in
/// several trees where the engine can. After a crash the keys of a client hold the same number.
public struct Batches: Workload {
  /// Keys of one client.
  public var keys: Int
  public init(keys: Int = 8) { self.keys = keys }

  public var summary: String { "atomic batches of \(keys) keys, in several trees where possible" }
  public var largestWrite: Int { 8192 }
  public var requiredCapabilities: EngineCapabilities { .batches }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    BatchesRun(
      keys: keys, trees: world.capabilities.contains(.crossTreeBatches) ? ["", "odd"] : [""],
      valueLength: 12 + Int(lane.draw("valueLength", below: 600)),
      flushOneIn: 4 << Int(lane.draw("flushRarity", below: 5)))
  }
}

extension Workload where Self == Batches {
  public static var batches: Batches { Batches() }
}

final class BatchesRun: WorkloadRun {
  private let keys: Int
  private let trees: [TreeName]
  private let valueLength: Int
  private let flushOneIn: Int
  private var clients = 0

  init(keys: Int, trees: [TreeName], valueLength: Int, flushOneIn: Int) {
    self.keys = keys
    self.trees = trees
    self.valueLength = valueLength
    self.flushOneIn = flushOneIn
  }

  func step(_ client: Client) -> Bool {
    clients = max(clients, client.count)
    guard let dice = client.nextKind(flushOneIn, in: client.lane) else { return false }
    if dice == 1 {
      _ = client.perform(.flush)
    } else if dice % 8 == 2 {
      _ = client.perform(.get(key(0, of: client.index), in: .default))
    } else {
      let value = client.value(length: valueLength)
      var writes: [BatchWrite] = []
      var index = 0
      while index < keys {
        writes.append(
          BatchWrite(key(index, of: client.index), value, in: trees[index % trees.count]))
        index += 1
      }
      _ = client.perform(.batch(writes))
    }
    return true
  }

  private func key(_ index: Int, of client: Int) -> Bytes {
    Payload.decimal(UInt64(index), digits: 3, prefix: [0x61 + UInt8(client)])
  }

  func recovered(_ state: RecoveredState) -> [String] {
    var problems: [String] = []
    var client = 0
    while client < clients {
      var values: [Bytes?] = []
      var index = 0
      while index < keys {
        let key = key(index, of: client)
        let entries = state.entries(in: trees[index % trees.count])
        values.append(entries.first { $0.key == key }?.value)
        index += 1
      }
      if values.contains(where: { $0 != values[0] }) {
        problems.append("the keys of client \(client)'s batches hold different values")
      }
      client += 1
    }
    return problems
  }
}
