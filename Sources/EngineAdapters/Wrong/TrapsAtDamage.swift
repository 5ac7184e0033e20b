public import EngineKit

/// Takes it for impossible that its base has damaged bytes to report, and runs into a check of its own there.
final class TrapsAtDamage: ForwardingEngine, @unchecked Sendable {
  override func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    do throws(EngineError) { return try base.get(key, in: tree) } catch {
      precondition(error.code != .corruption, "disks do not lie")
      throw error
    }
  }
}

extension WrongEngineFactory {
  public static func trapsAtDamage(over base: any EngineFactory) -> Self {
    WrongEngineFactory("traps-at-damage", over: base, convictedBy: ["trap"]) {
      TrapsAtDamage($0)
    }
  }
}
