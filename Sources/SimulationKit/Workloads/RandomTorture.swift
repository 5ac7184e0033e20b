internal import EngineKit

/// Everything that the engine can do, in no sensible order: several trees, dropped trees, empty and large
/// keys and values, batches, compare-exchange, odd ranges.
public struct RandomTorture: Workload {
  public init() {}
  public var summary: String { "all operations at random, several trees, empty and large keys" }

  public func prepare(_ lane: ChoiceLane, for world: WorkloadWorld) -> any WorkloadRun {
    let capabilities = world.capabilities
    var names: [TreeName] = [.default]
    if capabilities.contains(.namedTrees) {
      let more = Int(lane.draw("trees", below: 4))
      names += ["alpha", "beta", "gamma"].prefix(more)
    }
    return RandomTortureRun(
      capabilities, trees: names, keys: 4 << Int(lane.draw("keys", below: 6)),
      kinds: TortureKind.weighted(lane, capabilities),
      largeOneIn: 64 << Int(lane.draw("largeRarity", below: 5)), largestBatch: world.largestBatch)
  }
}

extension Workload where Self == RandomTorture {
  public static var randomTorture: RandomTorture { RandomTorture() }
}

enum TortureKind: Int, CaseIterable {
  case insert, get, remove, scan, compareExchange, batch, flush, checkpoint, backgroundWork,
    identifier, count, drop

  /// What the engine must have.
  var requires: EngineCapabilities {
    switch self {
    case .insert, .get, .remove, .scan, .flush, .backgroundWork, .count: []
    case .compareExchange: .compareExchange
    case .batch: .batches
    case .checkpoint: .checkpoints
    case .identifier: .identifiers
    case .drop: .treeRemoval
    }
  }

  /// Each kind in the number of tickets that this tape draws for it; the frequent ones always have some.
  static func weighted(_ lane: ChoiceLane, _ capabilities: EngineCapabilities) -> [TortureKind] {
    var tickets: [TortureKind] = []
    tickets.reserveCapacity(96)
    for kind in allCases where capabilities.isSuperset(of: kind.requires) {
      let most: UInt64
      switch kind {
      case .insert: most = 24
      case .get, .remove, .compareExchange, .batch: most = 12
      case .scan, .flush: most = 6
      case .checkpoint, .backgroundWork, .identifier, .count: most = 3
      case .drop: most = 2
      }
      let drawn = Int(lane.draw("weight", below: most)) + (kind == .insert ? 1 : 0)
      tickets.append(contentsOf: repeatElement(kind, count: drawn))
    }
    return tickets
  }
}

final class RandomTortureRun: WorkloadRun {
  private let capabilities: EngineCapabilities
  private let trees: [TreeName]
  private let keys: Int
  private let kinds: [TortureKind]
  private let largeOneIn: UInt64
  private let largestBatch: Int

  init(
    _ capabilities: EngineCapabilities, trees: [TreeName], keys: Int, kinds: [TortureKind],
    largeOneIn: Int, largestBatch: Int
  ) {
    self.largestBatch = largestBatch
    self.capabilities = capabilities
    self.trees = trees
    self.keys = keys
    self.kinds = kinds
    self.largeOneIn = UInt64(largeOneIn)
  }

  func step(_ client: Client) -> Bool {
    let lane = client.lane
    guard let ticket = client.nextKind(kinds.count, in: lane) else { return false }
    _ = client.perform(operation(kinds[ticket], client, lane))
    return true
  }

  private func operation(_ kind: TortureKind, _ client: Client, _ lane: ChoiceLane) -> Operation {
    switch kind {
    case .insert: return insert(client, lane)
    case .get: return .get(key(lane), in: tree(lane))
    case .remove: return .remove(key(lane), in: tree(lane))
    case .scan: return scan(lane)
    case .compareExchange: return compareExchange(client, lane)
    case .batch: return batch(client, lane)
    case .flush: return .flush
    case .checkpoint: return .checkpoint
    case .backgroundWork: return .backgroundWork
    case .identifier: return .nextID
    case .count: return .count(in: tree(lane))
    case .drop:
      // The default tree stays.
      let place = Int(lane.draw("tree", below: UInt64(max(1, trees.count - 1))))
      return trees.count == 1 ? .count(in: .default) : .dropTree(trees[1 + place])
    }
  }

  private func insert(_ client: Client, _ lane: ChoiceLane) -> Operation {
    let value = value(client, lane)
    let key = key(lane)
    let tree = tree(lane)
    remember(key, value, tree)
    return .insert(value, for: key, in: tree)
  }

  private func scan(_ lane: ChoiceLane) -> Operation {
    let shape = lane.draw("shape", below: 6)
    let range: KeyRange
    switch shape / 2 {
    case 0: range = .all
    case 1: range = KeyRange(lower: key(lane), upper: key(lane))
    default: range = .prefix(Bytes(key(lane).prefix(2)))
    }
    let entries = Int(lane.draw("limit", below: 32))
    let limit = entries < 8 ? Int.max : entries - 7
    return .scan(range, shape % 2 == 0 ? .forward : .backward, limit: limit, in: tree(lane))
  }

  /// Creation, removal, change, and comparisons that fail. What is expected is what this client wrote last
  /// to that key, if anything: then the exchange has a chance.
  private func compareExchange(_ client: Client, _ lane: ChoiceLane) -> Operation {
    let key = key(lane)
    let tree = tree(lane)
    let shape = lane.draw("shape", below: 4)
    let desired: Bytes? = shape == 3 ? nil : value(client, lane)
    let expected: Bytes? =
      shape == 0 ? nil : lastWritten.last { $0.key == key && $0.tree == tree }?.value
    remember(key, desired, tree)
    return .compareExchange(key, expected: expected, desired: desired, in: tree)
  }

  private var lastWritten: [BatchWrite] = []

  private func remember(_ key: Bytes, _ value: Bytes?, _ tree: TreeName) {
    if lastWritten.count >= 64 { lastWritten.removeFirst(32) }
    lastWritten.append(BatchWrite(key, value, in: tree))
  }

  private func batch(_ client: Client, _ lane: ChoiceLane) -> Operation {
    let count = 1 + Int(lane.draw("writes", below: 8))
    let several = capabilities.contains(.crossTreeBatches)
    let first = tree(lane)
    var writes: [BatchWrite] = []
    var bytes = 0
    while writes.count < count {
      let tree = several ? tree(lane) : first
      let removes = lane.draw("removes", below: 4) == 3
      let value = removes ? nil : value(client, lane, salt: writes.count)
      let write = BatchWrite(key(lane), value, in: tree)
      bytes += 64 + write.key.count + (value?.count ?? 0)
      if bytes > largestBatch { break }
      writes.append(write)
    }
    return .batch(writes)
  }

  private func tree(_ lane: ChoiceLane) -> TreeName {
    trees.count == 1 ? .default : trees[Int(lane.draw("tree", below: UInt64(trees.count)))]
  }

  /// Key 0 is the empty key; the last is a large one; the rest share prefixes of all lengths.
  private func key(_ lane: ChoiceLane) -> Bytes {
    let number = Int(lane.draw("key", below: UInt64(keys)))
    if number == 0 { return [] }
    if number == keys - 1 { return Bytes(repeating: 0xFF, count: 900) }
    var key: Bytes = []
    key.reserveCapacity(16)
    key.append(0x6B)
    var rest = number
    while rest > 0 {
      key.append(UInt8(rest % 3 == 0 ? 0 : rest % 3 == 1 ? 0x62 : 0xFF))
      rest /= 3
    }
    return key
  }

  private func value(_ client: Client, _ lane: ChoiceLane, salt: Int = 0) -> Bytes {
    let size = lane.draw("value", below: 64 * largeOneIn)
    let length: Int
    if size % largeOneIn == 1 {
      length = 1024 << Int(size / largeOneIn % 5)
    } else {
      length = Int(size / largeOneIn)
    }
    let tag = UInt64(client.index) << 32 | UInt64(salt) << 24 | UInt64(client.sequence)
    return Payload.value(tag: tag, length: length)
  }
}
