import Testing

@testable import compare

/// The checks of the comparison convict what they are there for.
@Suite struct CheckTests {
  private func value(of item: Item) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Item.valueSize)
    bytes.withUnsafeMutableBytes { item.writeValue(to: $0) }
    return bytes
  }

  private func check(_ item: Item, _ bytes: [UInt8]) throws -> UInt64 {
    try bytes.withUnsafeBytes { try item.check($0) }
  }

  @Test func valuesThatBelong() throws {
    for index in [0, 1, 999_999] {
      let item = Item.scrambled(index, version: 7)
      #expect(try check(.scrambled(index), value(of: item)) == 7)
    }
  }

  @Test func valuesOfOthersOrDamaged() {
    let item = Item.scrambled(5, version: 1)
    let bytes = value(of: item)
    #expect(throws: BenchmarkError.self) { try check(.scrambled(6), bytes) }
    #expect(throws: BenchmarkError.self) { try check(item, Array(bytes.dropLast())) }
    for place in [0, 8, 95, 99] {
      var torn = bytes
      torn[place] ^= 1
      #expect(throws: BenchmarkError.self) { try check(item, torn) }
    }
  }

  @Test(arguments: Fake.Flaw.allCases) func engines(flaw: Fake.Flaw) throws {
    for workload in [Workload.readRandom, .scan, .ranges, .mixed50] {
      let step = Step(workload, threads: 1, entries: 2000, serial: 1, seed: 1)
      var session = Fake(flaw, entries: 2000)
      func run() throws -> Int {
        try Execution.run(step, thread: 0, loadTransaction: 1, &session)
      }
      if flaw.shows(in: workload) {
        #expect(throws: BenchmarkError.self) { _ = try run() }
      } else {
        #expect(try run() > 0)
      }
    }
  }

  @Test func drawsCoverAllIndices() {
    for workload in [Workload.overwrite, .delete, .loadRandom] {
      let step = Step(workload, threads: 1, entries: 1000, serial: 1, seed: 1)
      #expect(step.draws[0].sorted() == (0..<1000).map { UInt32($0) })
    }
  }

  @Test func zipfianRanks() {
    let zipfian = Zipfian(count: 1000)
    #expect(zipfian.rank(0) == 0)
    #expect(zipfian.rank(0.999_999) < 1000)
    let ranks = stride(from: 0.0, to: 1, by: 0.001).map { zipfian.rank($0) }
    #expect(ranks == ranks.sorted())
  }

  @Test func quantiles() {
    #expect(Result.quantile(0.5, of: [3, 1, 2]) == 2)
    #expect(Result.quantile(0.25, of: [1, 2, 3]) == 1.5)
    #expect(Result.quantile(0.5, of: []) == nil)
  }
}

/// A sorted array that passes for an engine, with a flaw or without.
struct Fake: EngineSession {
  enum Flaw: CaseIterable {
    case none, losesKey, wrongValue, swapsNeighbours, skipsInScan

    func shows(in workload: Workload) -> Bool {
      switch self {
      case .none: false
      case .losesKey, .wrongValue: workload == .readRandom || workload == .mixed50
      case .swapsNeighbours: workload == .scan || workload == .ranges
      case .skipsInScan: workload == .scan
      }
    }
  }

  private let flaw: Flaw
  private var items: [Item]

  init(_ flaw: Flaw, entries: Int) {
    self.flaw = flaw
    items = (0..<entries).map { .scrambled($0) }
    items.sort { UInt64(bigEndian: $0.high) < UInt64(bigEndian: $1.high) }
  }

  mutating func put(_ item: Item) {}
  mutating func putDurably(_ item: Item) {}
  mutating func putAll(_ items: [Item]) {}
  mutating func remove(_ item: Item) {}
  mutating func close() {}

  mutating func version(of item: Item) throws -> UInt64? {
    if flaw == .losesKey, item.index % 8 == 0 { return nil }
    var bytes = [UInt8](repeating: 0, count: Item.valueSize)
    let other = flaw == .wrongValue && item.index % 8 == 0
    let found = other ? Item.scrambled(Int(item.index) + 1) : item
    bytes.withUnsafeMutableBytes { found.writeValue(to: $0) }
    return try bytes.withUnsafeBytes { try item.check($0) }
  }

  mutating func scan(from start: Item?, limit: Int) throws -> Int {
    var check = ScanCheck()
    let first = start.flatMap { start in items.firstIndex { $0.index == start.index } } ?? 0
    var order = Array(items[first...].prefix(limit))
    if flaw == .swapsNeighbours, order.count > 2 { order.swapAt(1, 2) }
    if flaw == .skipsInScan, order.count > 2 { order.remove(at: 1) }
    var bytes = [UInt8](repeating: 0, count: Item.valueSize)
    for item in order {
      bytes.withUnsafeMutableBytes { item.writeValue(to: $0) }
      try item.withKey { key in
        try bytes.withUnsafeBytes { try check.meet(key: key, value: $0) }
      }
    }
    return check.count
  }
}
