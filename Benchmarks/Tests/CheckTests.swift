import Testing

@testable import compare

/// The checks of the comparison convict what they are there for.
@Suite struct CheckTests {
  private static let shapes = [
    Shape.standard, Shape(order: .sequential), Shape(order: .counting),
    Shape(keySize: 8, valueSize: 10), Shape(keySize: 10, valueSize: 100),
  ]

  private func value(of item: Item) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: item.shape.valueSize)
    bytes.withUnsafeMutableBytes { item.writeValue(to: $0) }
    return bytes
  }

  private func check(_ item: Item, _ bytes: [UInt8]) throws -> UInt64 {
    try bytes.withUnsafeBytes { try item.check($0) }
  }

  @Test(arguments: shapes) func valuesThatBelong(shape: Shape) throws {
    for index in [0, 1, 999_999] {
      let item = Item(shape, index, version: 7)
      #expect(try check(Item(shape, index), value(of: item)) == 7)
    }
  }

  @Test(arguments: shapes) func valuesOfOthersOrDamaged(shape: Shape) {
    let item = Item(shape, 5, version: 1)
    let bytes = value(of: item)
    #expect(throws: BenchmarkError.self) { try check(Item(shape, 6), bytes) }
    #expect(throws: BenchmarkError.self) { try check(item, Array(bytes.dropLast())) }
    for place in [0, 4, bytes.count - 5, bytes.count - 1] {
      var torn = bytes
      torn[place] ^= 1
      #expect(throws: BenchmarkError.self) { try check(item, torn) }
    }
  }

  @Test(arguments: shapes) func keysDifferAndAscendByRank(shape: Shape) {
    let keys = (0..<1000).map { index in
      var bytes = [UInt8](repeating: 0, count: shape.keySize)
      bytes.withUnsafeMutableBytes { Item(shape, index).writeKey(to: $0) }
      return (Item.rank(shape.order, UInt64(index)), bytes)
    }
    let byRank = keys.sorted { $0.0 < $1.0 }.map(\.1)
    #expect(zip(byRank, byRank.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
  }

  @Test(arguments: Fake.Flaw.allCases) func engines(flaw: Fake.Flaw) throws {
    for workload in [Workload.readRandom, .readZipfian, .scan, .ranges, .mixed50, .latency] {
      let step = workload.step(entries: 2000, threads: 1, serial: 1, seed: 1)
      var session = Fake(flaw, entries: 2000)
      var execution = Execution(step, thread: 0, loadTransaction: 1)
      if flaw.shows(in: workload) {
        #expect(throws: BenchmarkError.self) { try execution.run(&session) }
      } else {
        try execution.run(&session)
        #expect(execution.operations > 0)
        #expect(execution.latencies.totalCount > 0)
      }
    }
  }

  @Test func permutationsCoverAllIndices() {
    let step = Workload.overwrite.step(entries: 1000, threads: 1, serial: 1, seed: 1)
    #expect((0..<1000).map { step.permuted($0) }.sorted() == Array(0..<1000))
  }

  @Test func threadsShareTheWork() {
    var step = Workload.readRandom.step(entries: 1001, threads: 2, serial: 1, seed: 1)
    #expect(step.share(0) + step.share(1) == 1001)
    step.operations = 7
    #expect(step.share(0) + step.share(1) == 7)
  }

  @Test func zipfianRanks() {
    let zipfian = Zipfian(count: 1000)
    #expect(zipfian.rank(0) == 0)
    #expect(zipfian.rank(0.999_999) < 1000)
    let ranks = stride(from: 0.0, to: 1, by: 0.001).map { zipfian.rank($0) }
    #expect(ranks == ranks.sorted())
  }
}

/// A sorted array that passes for an engine, with a flaw or without.
struct Fake: EngineSession {
  enum Flaw: CaseIterable {
    case none, losesKey, wrongValue, swapsNeighbours, skipsInScan, beginsTooLate

    func shows(in workload: Workload) -> Bool {
      switch self {
      case .none: false
      case .losesKey, .wrongValue:
        [.readRandom, .readZipfian, .mixed50, .latency].contains(workload)
      case .swapsNeighbours: workload == .scan || workload == .ranges
      case .skipsInScan: workload == .scan
      case .beginsTooLate: workload == .scan || workload == .ranges
      }
    }
  }

  private let flaw: Flaw
  private var items: [Item]

  init(_ flaw: Flaw, entries: Int) {
    self.flaw = flaw
    items = (0..<entries).map { Item(.standard, $0) }
    items.sort { Item.rank(.scrambled, $0.index) < Item.rank(.scrambled, $1.index) }
  }

  mutating func put(_ key: Bytes, _ value: Bytes) {}
  mutating func putDurably(_ key: Bytes, _ value: Bytes) {}
  mutating func putAll(_ entries: EntryList) {}
  mutating func remove(_ key: Bytes) {}
  mutating func close() {}

  private func index(_ key: Bytes) -> Int {
    Int(UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }

  private func withValue<R>(_ item: Item, _ body: (Bytes) throws -> R) rethrows -> R {
    var bytes = [UInt8](repeating: 0, count: item.shape.valueSize)
    bytes.withUnsafeMutableBytes { item.writeValue(to: $0) }
    return try bytes.withUnsafeBytes(body)
  }

  mutating func get<R>(_ key: Bytes, _ body: (Bytes) throws -> R) throws -> R? {
    let index = index(key)
    if flaw == .losesKey, index % 8 == 0 { return nil }
    let isOther = flaw == .wrongValue && index % 8 == 0
    return try withValue(Item(.standard, isOther ? index + 1 : index), body)
  }

  mutating func scan(from start: Bytes?, _ body: (Bytes, Bytes) throws -> Bool) throws {
    let wanted = start.map { index($0) }
    let first = wanted.flatMap { wanted in items.firstIndex { $0.index == wanted } } ?? 0
    var order = Array(items[first...])
    if flaw == .beginsTooLate, order.count > 1 { order.removeFirst() }
    if flaw == .swapsNeighbours, order.count > 2 { order.swapAt(1, 2) }
    if flaw == .skipsInScan, order.count > 2 { order.remove(at: 1) }
    for item in order {
      var key = [UInt8](repeating: 0, count: 16)
      key.withUnsafeMutableBytes { item.writeKey(to: $0) }
      let goesOn = try key.withUnsafeBytes { key in
        try withValue(item) { try body(key, $0) }
      }
      if !goesOn { return }
    }
  }
}
