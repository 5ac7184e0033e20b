/// What one thread does in a step. Generic, and specialised for each engine.
enum Execution {
  /// Ids that a thread takes.
  static let identifiers = 1_000_000

  /// Returns the number of operations.
  static func run<S: EngineSession>(
    _ step: Step, thread: Int, loadTransaction: Int, _ session: inout S
  ) throws -> Int {
    let draws = step.draws[thread]
    let version = step.firstVersion + UInt64(thread) << 36
    switch step.workload {
    case .loadSequential: return try load(draws, loadTransaction, &session)
    case .loadRandom: return try overwrite(draws, version: 0, &session)
    case .readRandom, .readZipfian: return try read(draws, &session)
    case .scan: return try scan(step.entries, &session)
    case .ranges: return try ranges(draws, &session)
    case .mixed95: return try mix(draws, updatesOfTwenty: 1, version, &session)
    case .mixed50: return try mix(draws, updatesOfTwenty: 10, version, &session)
    case .batches: return try batches(draws, version, &session)
    case .overwrite:
      var count = 0
      for round in 1...3 { count += try overwrite(draws, version: UInt64(round), &session) }
      return count
    case .commitSync:
      for (number, index) in draws.enumerated() {
        try session.putDurably(.scrambled(Int(index), version: version + UInt64(number)))
      }
      return draws.count
    case .nextID: return try identify(&session)
    case .delete:
      for index in draws { try session.remove(.scrambled(Int(index))) }
      return draws.count
    }
  }

  private static func load<S: EngineSession>(
    _ draws: [UInt32], _ transaction: Int, _ session: inout S
  ) throws -> Int {
    if transaction == 1 {
      for index in draws { try session.put(.sequential(Int(index))) }
      return draws.count
    }
    var items: [Item] = []
    items.reserveCapacity(transaction)
    for index in draws {
      items.append(.sequential(Int(index)))
      if items.count == transaction {
        try session.putAll(items)
        items.removeAll(keepingCapacity: true)
      }
    }
    if !items.isEmpty { try session.putAll(items) }
    return draws.count
  }

  private static func overwrite<S: EngineSession>(
    _ draws: [UInt32], version: UInt64, _ session: inout S
  ) throws -> Int {
    for index in draws { try session.put(.scrambled(Int(index), version: version)) }
    return draws.count
  }

  private static func read<S: EngineSession>(
    _ draws: [UInt32], _ session: inout S
  ) throws -> Int {
    for index in draws {
      guard try session.version(of: .scrambled(Int(index))) != nil else {
        throw BenchmarkError("the key of index \(index) was not found")
      }
    }
    return draws.count
  }

  private static func scan<S: EngineSession>(_ entries: Int, _ session: inout S) throws -> Int {
    let count = try session.scan(from: nil, limit: .max)
    guard count == entries else {
      throw BenchmarkError("a scan met \(count) of \(entries) entries")
    }
    return count
  }

  private static func ranges<S: EngineSession>(
    _ draws: [UInt32], _ session: inout S
  ) throws -> Int {
    var count = 0
    for index in draws {
      let met = try session.scan(from: .scrambled(Int(index)), limit: Step.rangeLength)
      guard met > 0 else { throw BenchmarkError("a range from a present key was empty") }
      count += met
    }
    return count
  }

  private static func mix<S: EngineSession>(
    _ draws: [UInt32], updatesOfTwenty: UInt64, _ version: UInt64, _ session: inout S
  ) throws -> Int {
    for (number, index) in draws.enumerated() {
      if Item.mix(UInt64(number)) % 20 < updatesOfTwenty {
        try session.put(.scrambled(Int(index), version: version + UInt64(number)))
      } else if try session.version(of: .scrambled(Int(index))) == nil {
        throw BenchmarkError("the key of index \(index) was not found")
      }
    }
    return draws.count
  }

  private static func batches<S: EngineSession>(
    _ draws: [UInt32], _ version: UInt64, _ session: inout S
  ) throws -> Int {
    var items: [Item] = []
    items.reserveCapacity(Step.batchSize)
    var count = 0
    for (number, index) in draws.enumerated() {
      items.append(.scrambled(Int(index), version: version + UInt64(number)))
      if items.count == Step.batchSize {
        try session.putAll(items)
        count += items.count
        items.removeAll(keepingCapacity: true)
      }
    }
    return count
  }

  private static func identify<S: EngineSession>(_ session: inout S) throws -> Int {
    var former: UInt64?
    for _ in 0..<identifiers {
      let next = try session.nextID()
      if let former, next <= former { throw BenchmarkError("ids do not ascend on a thread") }
      former = next
    }
    return identifiers
  }
}
