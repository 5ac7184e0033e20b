internal import EngineKit
import Luge
import Platform

/// Luge, as the contract sees it.
final class LugeEngine: KeyValueEngine {
  let database: Database

  init(database: Database) { self.database = database }

  func tree(_ name: TreeName) throws(EngineError) -> Tree {
    try translating { () throws(LugeError) in
      name == .default ? database.defaultTree : try database.tree(named: name)
    }
  }

  func get(_ key: Bytes, in name: TreeName) throws(EngineError) -> Bytes? {
    let tree = try tree(name)
    // Half of the keys through a view.
    if let last = key.last, last & 2 != 0 { return try look(key, tree) }
    return try translating { () throws(LugeError) in try tree.value(forKey: key) }
  }

  /// Reads a value that is lent, and once more after other threads have had their turns: it must stay as it is.
  private func look(_ key: Bytes, _ tree: Tree) throws(EngineError) -> Bytes? {
    let pair = try translating { () throws(LugeError) -> (Bytes, Bytes)? in
      guard let view = try tree.view(forKey: key) else { return nil }
      let first = Self.copy(view.bytes)
      _ = try tree.contains(key)
      return (first, Self.copy(view.bytes))
    }
    guard let (first, second) = pair else { return nil }
    if first != second { throw EngineError(.other, "a value changed while a view showed it") }
    return first
  }

  static func copy(_ span: RawSpan) -> Bytes {
    // Copied inside the call that lends it.
    unsafe span.withUnsafeBytes { unsafe Bytes($0) }
  }

  func insert(_ value: Bytes, for key: Bytes, in name: TreeName) throws(EngineError) -> Bytes? {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try tree.updateValue(value, forKey: key) }
  }

  func remove(_ key: Bytes, in name: TreeName) throws(EngineError) -> Bytes? {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try tree.removeValue(forKey: key) }
  }

  func compareExchange(
    _ key: Bytes, expected: Bytes?, desired: Bytes?, in name: TreeName
  ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in
      try tree.compareExchange(key: key, expected: expected, desired: desired)
    }
  }

  func scan(
    _ range: EngineKit.KeyRange, _ direction: Direction, limit: Int, in name: TreeName
  ) throws(EngineError) -> [EngineKit.Entry] {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in
      var cursor = tree.cursor(in: Luge.KeyRange(range))
      return try cursor.collect(direction, limit: limit)
    }
  }

  func apply(_ writes: [BatchWrite]) throws(EngineError) {
    // A batch of one is a write that asks for nothing.
    if writes.count == 1, let value = writes[0].value {
      let tree = try tree(writes[0].tree)
      return try translating { () throws(LugeError) in
        try tree.setValue(value, forKey: writes[0].key)
      }
    }
    var batch = WriteBatch()
    for write in writes {
      let tree = try tree(write.tree)
      if let value = write.value {
        batch.updateValue(value, forKey: write.key, in: tree)
      } else {
        batch.removeValue(forKey: write.key, in: tree)
      }
    }
    try translating { () throws(LugeError) in try database.apply(batch) }
  }

  func flush() throws(EngineError) {
    try translating { () throws(LugeError) in try database.flush() }
  }

  func checkpoint() throws(EngineError) {
    try translating { () throws(LugeError) in try database.checkpoint() }
  }

  func nextID() throws(EngineError) -> UInt64 {
    try translating { () throws(LugeError) in try database.nextID() }
  }

  func count(in name: TreeName) throws(EngineError) -> Int {
    let tree = try tree(name)
    return try translating { () throws(LugeError) in try tree.count() }
  }

  func dropTree(_ name: TreeName) throws(EngineError) -> Bool {
    try translating { () throws(LugeError) in try database.dropTree(named: name) }
  }

  func treeNames() throws(EngineError) -> [TreeName] {
    try translating { () throws(LugeError) in try database.treeNames() }
  }

  func checkInvariants() throws(EngineError) -> [String] {
    try translating { () throws(LugeError) in
      let report = try database.verify()
      // What it says of itself agrees with what it found.
      let statistics = try database.statistics()
      var problems = report.problems
      if statistics.entries > report.entries || statistics.redoBytes < 0 {
        problems.append(
          "statistics tell of \(statistics.entries) entries and \(statistics.redoBytes) bytes of redo, "
            + "where \(report.entries) entries were found")
      }
      return problems
    }
  }

  func performBackgroundWork() throws(EngineError) {
    try translating { () throws(LugeError) in try database.performBackgroundWork() }
  }

  func evict() throws(EngineError) {
    try translating { () throws(LugeError) in try database.evictPage() }
  }

  func clean() throws(EngineError) {
    try translating { () throws(LugeError) in try database.cleanSegment() }
  }

  func close() throws(EngineError) {
    try translating { () throws(LugeError) in try database.close() }
  }
}

/// Runs `body`, answering the contract's error for Luge's.
func translating<Result>(
  _ body: () throws(LugeError) -> Result
) throws(EngineError) -> Result {
  do throws(LugeError) {
    return try body()
  } catch {
    throw EngineError(luge: error)
  }
}

extension EngineError {
  /// Every write that Luge fails had no effect, whatever the reason: a record is not visible before
  /// its place in the log is reserved, and nothing throws after that. Only a killed process leaves it open.
  init(luge error: LugeError) {
    let code: EngineError.Code =
      switch error.code {
      case .killed: .killed
      case .noSpace: .noSpace
      case .corruption, .notADatabase, .unsupportedVersion: .corruption
      case .locked: .locked
      case .failed: .refused
      case .closed: .closed
      case .treeNotFound: .treeNotFound
      case .invalidArgument, .tooLarge, .configurationMismatch: .invalidArgument
      case .inputOutput: .inputOutput
      case .resourceExhausted: .exhausted
      default: .other
      }
    self.init(code, error.description, isRefused: error.code != .killed)
  }
}
