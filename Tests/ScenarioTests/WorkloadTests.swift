import EngineAdapters
import EngineKit
import HistoryKit
import Scenarios
import Testing

@testable import SimulationKit

/// Workloads against a plain map: what they ask for, without crashes and faults.
@Suite struct WorkloadTests {
  /// Everything that a client was asked to do, and whether the workload ended by itself.
  private func operations(
    _ scenario: Scenario, driver: any ChoiceDriver, limit: Int = 1000, largestBatch: Int = .max
  ) -> [EngineKit.Operation] {
    let tape = ChoiceTape(driver: driver)
    let world = WorkloadWorld(
      capabilities: EngineCapabilities(rawValue: .max), clients: 1, operations: limit,
      largestBatch: largestBatch)
    let run = scenario.workload.prepare(tape.lane("plan"), for: world)
    var log: [EngineKit.Operation] = []
    let map = PlainMap()
    let client = Client(index: 0, count: 1, round: 0, sequence: 0, tape: tape) { operation in
      log.append(operation)
      return map.perform(operation)
    }
    while log.count < limit && run.step(client) {}
    return log
  }

  @Test(arguments: Catalogue.all.map(\.name))
  func theSameSeedAsksForTheSame(_ name: String) throws {
    let scenario = try #require(Catalogue.named(name))
    let first = operations(scenario, driver: SeededDriver(seed: 3))
    #expect(first == operations(scenario, driver: SeededDriver(seed: 3)))
    #expect(first.count > 100)
    #expect(first != operations(scenario, driver: SeededDriver(seed: 4)))
  }

  /// So that shrinking can get to nothing.
  @Test(arguments: Catalogue.all.map(\.name))
  func anEmptyTapeAsksForNothing(_ name: String) throws {
    let scenario = try #require(Catalogue.named(name))
    #expect(operations(scenario, driver: ReplayDriver([])).isEmpty)
  }

  /// Found by fuzzing: three values of 16 KiB in one batch, and an engine with a memory budget of 192 KiB.
  @Test func batchesAreNoLargerThanTheEngineTakes() throws {
    let limit = 20 << 10
    var hasMet = false
    for seed in 1...20 as ClosedRange<UInt64> {
      let driver = SeededDriver(seed: seed)
      for operation in operations(
        .randomTorture, driver: driver, limit: 4000, largestBatch: limit)
      {
        guard case .batch(let writes) = operation else { continue }
        var bytes = 0
        for write in writes { bytes += 64 + write.key.count + (write.value?.count ?? 0) }
        #expect(bytes <= limit && !writes.isEmpty)
        hasMet = hasMet || bytes > limit - (2 << 10)
      }
    }
    #expect(hasMet)
  }

  /// Shares of the standard definitions, within what chance allows.
  @Test(arguments: [
    ("ycsb-a", 50, 50, 0), ("ycsb-b", 95, 5, 0), ("ycsb-c", 100, 0, 0), ("ycsb-d", 95, 5, 0),
    ("ycsb-e", 0, 5, 95), ("ycsb-f", 67, 33, 0),
  ])
  func mixesAreTheStandardOnes(_ name: String, gets: Int, inserts: Int, scans: Int) throws {
    let scenario = try #require(Catalogue.named(name))
    let log = operations(scenario, driver: SeededDriver(seed: 9), limit: 20_000).dropFirst(200)
    var counts = (gets: 0, inserts: 0, scans: 0)
    for operation in log {
      switch operation {
      case .get: counts.gets += 1
      case .insert: counts.inserts += 1
      case .scan: counts.scans += 1
      default: break
      }
    }
    let all = Double(log.count)
    #expect(abs(Double(counts.gets) / all * 100 - Double(gets)) < 5)
    #expect(abs(Double(counts.inserts) / all * 100 - Double(inserts)) < 5)
    #expect(abs(Double(counts.scans) / all * 100 - Double(scans)) < 5)
  }

  @Test func tortureUsesEverything() throws {
    let scenario = try #require(Catalogue.named("random-torture"))
    var names: Set<String> = []
    var hasEmptyKey = false
    for seed: UInt64 in 0..<20 {
      for operation in operations(scenario, driver: SeededDriver(seed: seed)) {
        names.insert(operation.name)
        if case .insert(_, let key, _) = operation, key.isEmpty { hasEmptyKey = true }
      }
    }
    #expect(names.count == 12)
    #expect(hasEmptyKey)
  }

  @Test func aTornRingIsNoticed() {
    let run = SequentialWritesRun(keys: 4, valueLength: 12, flushOneIn: 4)
    func state(_ ways: [UInt64]) -> RecoveredState {
      let entries = ways.enumerated().map {
        Entry(
          Payload.decimal(UInt64($0.offset), digits: 4), Payload.decimal($0.element, digits: 12))
      }
      return RecoveredState(trees: [.init("", forward: entries, backward: entries.reversed())])
    }
    #expect(run.recovered(state([])).isEmpty)
    #expect(run.recovered(state([0, 0])).isEmpty)
    #expect(run.recovered(state([3, 3, 2, 2])).isEmpty)
    #expect(!run.recovered(state([3, 2, 3, 3])).isEmpty)
    #expect(!run.recovered(state([3, 1, 1, 1])).isEmpty)
    #expect(!run.recovered(state([3, 2])).isEmpty)
  }
}

/// The least that answers: an ordered list of entries in each tree, no more.
private final class PlainMap {
  private var values: [Bytes: Bytes] = [:]

  func perform(_ operation: EngineKit.Operation) -> Outcome {
    switch operation {
    case .get(let key, _): return .value(values[key])
    case .insert(let value, let key, _): return .value(values.updateValue(value, forKey: key))
    case .remove(let key, _): return .value(values.removeValue(forKey: key))
    case .batch(let writes):
      for write in writes { values[write.key] = write.value }
      return .done
    case .scan: return .entries([])
    case .compareExchange: return .exchange(exchanged: false, original: nil)
    case .nextID: return .identifier(1)
    case .count: return .number(values.count)
    case .dropTree: return .flag(false)
    case .flush, .checkpoint, .backgroundWork, .evict, .clean: return .done
    }
  }
}
