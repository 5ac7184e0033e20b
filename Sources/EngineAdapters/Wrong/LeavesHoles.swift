public import EngineKit
internal import Synchronization

/// At a flush makes everything durable but one insert, and only then that one too: what survives a
/// crash in between has a hole. Meant for one client: others could see the gap.
final class LeavesHoles: ForwardingEngine, @unchecked Sendable {
  private struct Insert {
    var tree: TreeName
    var key: Bytes
    var value: Bytes
    var former: Bytes?
  }

  /// The first insert since the last flush.
  private let first = Mutex<Insert?>(nil)

  override func insert(
    _ value: Bytes, for key: Bytes, in tree: TreeName
  ) throws(EngineError) -> Bytes? {
    let former = try base.insert(value, for: key, in: tree)
    first.withLock {
      if $0 == nil { $0 = Insert(tree: tree, key: key, value: value, former: former) }
    }
    return former
  }

  override func flush() throws(EngineError) {
    let held = first.withLock { first in
      defer { first = nil }
      return first
    }
    if let held, try base.get(held.key, in: held.tree) == held.value {
      if let former = held.former {
        _ = try base.insert(former, for: held.key, in: held.tree)
      } else {
        _ = try base.remove(held.key, in: held.tree)
      }
      try base.flush()
      _ = try base.insert(held.value, for: held.key, in: held.tree)
    }
    try base.flush()
  }

  override func checkpoint() throws(EngineError) { try flush() }
}

extension WrongEngineFactory {
  public static func leavesHoles(over base: any EngineFactory) -> Self {
    var factory = WrongEngineFactory(
      "leaves-holes", over: base, convictedBy: ["prefix-durability"]
    ) { LeavesHoles($0) }
    factory.lacking = .concurrentClients
    return factory
  }
}
