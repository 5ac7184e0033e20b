import EngineAdapters
import EngineKit
import HistoryKit
import Scenarios
import SimulationKit
import Testing

/// What a bad disk does: each class convicts an engine that does not mind it, and no other.
@Suite struct DiskFaultTests {
  private static let classes: [FaultClass] = [
    .bitRot, .misdirectedRead, .misdirectedWrite, .staleRead, .latentSectorError, .readError,
  ]

  /// Nothing else goes wrong but crashes; and where a sync lies, they take away what is not durable.
  private func scenario(_ fault: FaultClass, oneIn: UInt64) -> Scenario {
    let losses: [FaultClass] =
      fault == .lyingSync ? [.droppedWrite, .tornWrite, .lostLength, .lostDirectoryEntry] : []
    return Scenario(
      "bad-disk", workload: Scenario.randomTorture.workload,
      faults: [.crashes, .always(fault, oneIn: oneIn)] + losses.map { .always($0, oneIn: 1) })
  }

  private func failure(
    of factory: any EngineFactory, _ fault: FaultClass, tapes: Int,
    operations: Int = 120, _ counters: inout TapeCounters
  ) -> Failure? {
    for index in 0..<tapes {
      for oneIn in [2, 6, 24] as [UInt64] {
        let result = TapeRunner.run(
          scenario(fault, oneIn: oneIn), factory,
          driver: SeededDriver(
            seed: TapeSeed.seed(campaign: 3, scenario: fault.rawValue, index: index)),
          options: TapeOptions(operations: operations))
        counters.add(result.counters)
        if let failure = result.failures.first { return failure }
      }
    }
    return nil
  }

  @Test(arguments: classes)
  func anEngineThatIgnoresItIsConvicted(_ fault: FaultClass) throws {
    let wrong = try #require(EngineRegistry.credulous.first { $0.ignores.contains(fault) })
    var counters = TapeCounters()
    let failure = failure(of: wrong, fault, tapes: 30, &counters)
    #expect(failure != nil, "\(wrong.name) under \(fault.rawValue)")
  }

  @Test(arguments: classes + [.stuckCall, .lyingSync])
  func anEngineThatMindsItIsNot(_ fault: FaultClass) throws {
    for name in ["luge", "reference"] {
      let factory = try #require(EngineRegistry.named(name))
      var counters = TapeCounters()
      let failure = failure(of: factory, fault, tapes: 20, &counters)
      #expect(failure == nil, "\(name): \(failure.map { "\($0)" } ?? "")")
      let place = try #require(FaultClass.allCases.firstIndex(of: fault))
      #expect(counters.faults[place] > 0, "\(fault.rawValue) never met \(name)")
    }
  }

  /// Where syncs lie, what is found is a prefix, or an error says that it is not. Who reads on behind what is gone
  /// has neither; without lies he is right.
  @Test func anEngineThatReadsOnBehindWhatASyncHasLostIsConvicted() throws {
    var counters = TapeCounters()
    func failureWhereSyncsLie(_ factory: JournalEngineFactory) -> Failure? {
      failure(of: factory, .lyingSync, tapes: 60, operations: 400, &counters)
    }
    let conviction = try #require(failureWhereSyncsLie(.skipping))
    #expect(conviction.property == "prefix-durability")
    #expect(failureWhereSyncsLie(.stopping) == nil)
    #expect(failure(of: JournalEngineFactory.skipping, .latency, tapes: 20, &counters) == nil)
  }

  /// While a flush, a checkpoint or a reading of a page is stuck in any one of its calls, everybody else goes on.
  @Test(arguments: StuckTrial.Stuck.allCases)
  func aStuckCallHoldsUpNobodyElse(_ stuck: StuckTrial.Stuck) throws {
    let factory = try #require(EngineRegistry.named("luge"))
    let whole = StuckTrial.run(factory, stuck, number: 0)
    #expect(whole.violation == nil && whole.opportunities > 0)
    for number in 1...whole.opportunities {
      let result = StuckTrial.run(factory, stuck, number: number)
      #expect(result.violation == nil, "call \(number)")
      #expect(result.calls == 11, "call \(number)")
    }
  }

  @Test(arguments: [StuckTrial.Stuck.flush, .read])
  func anEngineWhoseReadersWaitForTheDiskIsConvicted(_ stuck: StuckTrial.Stuck) throws {
    let factory = try #require(EngineRegistry.named("waits-for-io-luge"))
    let result = StuckTrial.run(factory, stuck, number: 1)
    #expect(result.violation?.contains("waited") == true)
  }
}
