public import EngineKit
internal import Synchronization

/// Keeps the values it read in a cache that writes forget to invalidate.
final class StaleReads: ForwardingEngine, @unchecked Sendable {
  private struct Cached {
    var tree: TreeName
    var key: Bytes
    var value: Bytes?
  }

  private static let capacity = 64
  private let cache = Mutex<[Cached]>([])

  override func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    let cached = cache.withLock { entries in
      entries.first { $0.tree == tree && $0.key == key }
    }
    if let cached { return cached.value }
    let value = try base.get(key, in: tree)
    cache.withLock { entries in
      if entries.count == Self.capacity { entries.removeFirst() }
      entries.append(Cached(tree: tree, key: key, value: value))
    }
    return value
  }
}

extension WrongEngineFactory {
  public static func staleReads(over base: any EngineFactory) -> Self {
    WrongEngineFactory("stale-reads", over: base, convictedBy: ["model-difference"]) {
      StaleReads($0)
    }
  }
}
