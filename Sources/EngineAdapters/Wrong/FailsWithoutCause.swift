public import EngineKit
internal import Platform

/// Reports corruption at every sixth read, of a disk in perfect health.
final class FailsWithoutCause: ForwardingEngine, @unchecked Sendable {
  private let reads = AtomicWord(0)

  override func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    if reads.fetchAdd(1) % 6 == 5 {
      throw EngineError(.corruption, "a checksum is wrong, or so it seems")
    }
    return try base.get(key, in: tree)
  }
}

extension WrongEngineFactory {
  public static func failsWithoutCause(over base: any EngineFactory) -> Self {
    WrongEngineFactory("fails-without-cause", over: base, convictedBy: ["error-contract"]) {
      FailsWithoutCause($0)
    }
  }
}
