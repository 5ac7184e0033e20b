public import EngineKit
internal import Platform
internal import Synchronization

/// Scans twice, waiting for some writes of others in between for a while, and shows every other key as it was
/// before.
final class MixesStates: ForwardingEngine, @unchecked Sendable {
  private static let patience = 16
  private let writes = Mutex(0)
  private let clock: any Clock

  init(_ base: any KeyValueEngine, _ clock: any Clock) {
    self.clock = clock
    super.init(base)
  }

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

  override func apply(_ batch: [BatchWrite]) throws(EngineError) {
    try base.apply(batch)
    writes.withLock { $0 += batch.count }
  }

  override func scan(
    _ range: KeyRange, _ direction: Direction, limit: Int, in tree: TreeName
  ) throws(EngineError) -> [Entry] {
    let early = try base.scan(range, direction, limit: limit, in: tree)
    guard limit == .max else { return early }
    let before = writes.withLock { $0 }
    var waits = 0
    while waits < Self.patience && writes.withLock({ $0 }) < before + 8 {
      // Lets others go on.
      do throws(PlatformError) { try clock.sleep(nanoseconds: 20_000) } catch {
        throw EngineError(error)
      }
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
    ) { MixesStates($0, $1.clock) }
  }
}
