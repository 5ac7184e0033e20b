public import EngineKit

/// Trees that come, are written and read, and are dropped, while others stay.
public struct ManyTrees: Workload {
  /// Names there are.
  public var trees: Int
  public init(trees: Int = 12) { self.trees = trees }

  public var summary: String { "\(trees) trees that come and go" }
  public var largestWrite: Int { 1024 }
  public var requiredCapabilities: EngineCapabilities { .namedTrees }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    ManyTreesRun(
      trees: 2 + Int(lane.draw("trees", below: UInt64(max(1, trees - 1)))),
      keys: 4 << Int(lane.draw("keys", below: 5)), capabilities: world.capabilities)
  }
}

extension Workload where Self == ManyTrees {
  public static var manyTrees: ManyTrees { ManyTrees() }
}

final class ManyTreesRun: WorkloadRun {
  private let trees: Int
  private let keys: Int
  private let capabilities: EngineCapabilities

  init(trees: Int, keys: Int, capabilities: EngineCapabilities) {
    self.trees = trees
    self.keys = keys
    self.capabilities = capabilities
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let dice = client.nextKind(64, in: lane) else { return false }
    let tree = tree(lane)
    switch dice {
    case 0: _ = client.perform(.flush)
    case 1 where capabilities.contains(.checkpoints): _ = client.perform(.checkpoint)
    case 2 where capabilities.contains(.treeRemoval):
      if tree != .default { _ = client.perform(.dropTree(tree)) }
    case 3: _ = client.perform(.count(in: tree))
    case 4...7: _ = client.perform(.scan(.all, .forward, limit: .max, in: tree))
    case 8...10: _ = client.perform(.scan(.all, .backward, limit: 10, in: tree))
    case 11...20: _ = client.perform(.get(key(lane), in: tree))
    case 21...28: _ = client.perform(.remove(key(lane), in: tree))
    case 29...34 where capabilities.contains(.crossTreeBatches):
      let writes = [tree, self.tree(lane), self.tree(lane)].map {
        BatchWrite(key(lane), client.value(length: 24), in: $0)
      }
      _ = client.perform(.batch(writes))
    default:
      _ = client.perform(.insert(client.value(length: 24), for: key(lane), in: tree))
    }
    return true
  }

  private func tree(_ lane: ChoiceLane) -> TreeName {
    let number = lane.draw("tree", below: UInt64(trees))
    return number == 0 ? .default : "tree-\(number)"
  }

  private func key(_ lane: ChoiceLane) -> Bytes {
    Payload.decimal(lane.draw("key", below: UInt64(keys)), digits: 4)
  }
}
