public import EngineKit
internal import Synchronization

/// Scans twice, waiting for some writes of others in between for a while, and shows every other key as it was
/// before.
final class MixesStates: ForwardingEngine, @unchecked Sendable {
  private let writes = Mutex(0)

  override func insert(
    _ value: Bytes, for key: Bytes, in tree: TreeName
  ) throws(EngineError) -> Bytes? {
    let former = try base.insert(value, for: key, in: tree)
    writes.withLock { $0 += 1 }
    return former
  }

  override func remove(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    let former = try base.remove(key, in: tree)
    writes.withLock { $0 += 1 }
    return former
  }

  override func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    let early = try base.scan(range, direction, limit: limit, in: tree)
    guard limit == .max else { return early }
    let before = writes.withLock { $0 }
    var waits = 0
    while waits < 16 && writes.withLock({ $0 }) < before + 8 {
      // Gives way to others, by waiting for the disk.
      try base.flush()
      waits += 1
    }
    let late = try base.scan(range, direction, limit: limit, in: tree)
    let mixed =
      early.filter { !Self.isOfTheLater($0.key) } + late.filter { Self.isOfTheLater($0.key) }
    return mixed.sorted { left, right in
      left.key.precedes(right.key) == (direction == .forward)
    }
  }

  private static func isOfTheLater(_ key: Bytes) -> Bool { (key.last ?? 0) & 1 == 1 }
}

extension WrongEngineFactory {
  public static func mixesStates(over base: any EngineFactory) -> Self {
    WrongEngineFactory(
      "mixes-states", over: base, convictedBy: ["model-difference", "conserved-total"]
    ) { MixesStates($0) }
  }
}
