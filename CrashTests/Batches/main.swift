import CrashSupport
import EngineKit
import HistoryKit

/// sled's crash test of the same name: each batch writes one value to all keys of a group, in two trees where
/// the engine can. Some groups belong to one client, for others all contend. After a crash all keys of a group hold the same.
struct Batches: CrashSubject {
  let name = "batches"
  let summary = "atomic batches, of which several clients write the same keys at once"
  let requiredCapabilities: EngineCapabilities = .batches

  private static let sharedGroups = 6
  private static let groupSize = 12

  func operation(_ client: CrashClient, _ draw: inout CrashDraw) -> Operation {
    let trees = client.capabilities.contains(.crossTreeBatches) ? ["", "odd"] : [""]
    let value = client.value(16 + draw.magnitude(8, 512))
    if draw.oneIn(3) {
      let group = draw.below(Self.sharedGroups)
      return .batch(
        (0..<Self.groupSize).map {
          BatchWrite(
            client.sharedKey(group * 100 + $0), value, in: trees[$0 % trees.count])
        })
    }
    // Of the client's own: as many as it likes, some removed.
    let first = draw.below(400)
    let count = draw.magnitude(2, 64)
    let removes = draw.oneIn(8)
    return .batch(
      (0..<count).map {
        BatchWrite(
          client.key(first + $0), removes ? nil : client.value(value.count, part: $0),
          in: trees[$0 % trees.count])
      })
  }

  func problems(in state: RecoveredState) -> [String] {
    var values: [[Bytes]] = Array(repeating: [], count: Self.sharedGroups)
    for tree in state.trees {
      for entry in tree.forward where entry.key.first == CrashClient.sharedPrefix {
        guard let number = CrashClient.number(of: entry.key) else { continue }
        values[number / 100].append(entry.value)
      }
    }
    return values.indices.compactMap { group in
      let found = values[group]
      let isWhole = found.isEmpty || found.count == Self.groupSize
      return isWhole && found.allSatisfy { $0 == found[0] }
        ? nil : "group \(group) is torn: \(found.count) of its keys are there"
    }
  }
}

CrashProgram.run(Batches())
