public import EngineKit
internal import Platform

/// Runs into a check of its own at the sixth insert since it was opened.
final class TrapsAtSixthWrite: ForwardingEngine, @unchecked Sendable {
  private let writes = AtomicWord(0)

  override func insert(
    _ value: Bytes, for key: Bytes, in tree: TreeName
  ) throws(EngineError) -> Bytes? {
    precondition(writes.fetchAdd(1) < 5, "a table of five is full")
    return try base.insert(value, for: key, in: tree)
  }
}

extension WrongEngineFactory {
  public static func trapsAtSixthWrite(over base: any EngineFactory) -> Self {
    WrongEngineFactory("traps-at-sixth-write", over: base, convictedBy: ["trap"]) {
      TrapsAtSixthWrite($0)
    }
  }
}
