public import EngineKit
internal import Platform

/// One lock around all calls: who reads waits for whoever flushes, and for the disk with him.
final class WaitsForIO: ForwardingEngine, @unchecked Sendable {
  private let lock: Lock

  init(_ base: any KeyValueEngine, _ threads: any Threads) {
    lock = Lock(threads: threads)
    super.init(base)
  }

  override func get(_ key: Bytes, in tree: TreeName) throws(EngineError) -> Bytes? {
    try waiting { () throws(EngineError) in try base.get(key, in: tree) }
  }

  override func insert(
    _ value: Bytes, for key: Bytes, in tree: TreeName
  ) throws(EngineError) -> Bytes? {
    try waiting { () throws(EngineError) in try base.insert(value, for: key, in: tree) }
  }

  override func flush() throws(EngineError) {
    try waiting { () throws(EngineError) in try base.flush() }
  }

  private func waiting<Result>(
    _ body: () throws(EngineError) -> Result
  ) throws(EngineError) -> Result {
    do throws(PlatformError) { try lock.lock() } catch {
      throw EngineError(.killed, error.description)
    }
    defer { lock.unlock() }
    return try body()
  }
}

extension WrongEngineFactory {
  public static func waitsForIO(over base: any EngineFactory) -> Self {
    WrongEngineFactory("waits-for-io", over: base, convictedBy: ["progress"]) {
      engine, platform throws(EngineError) in
      WaitsForIO(engine, platform.threads)
    }
  }
}
