import EngineAdapters
import EngineKit
import Scenarios
import SimulationKit
import Testing

@Suite struct TapeRunTests {
  private let options = TapeOptions(operations: 200)

  private var reference: any EngineFactory {
    get throws { try #require(EngineRegistry.named("reference")) }
  }

  @Test(arguments: Catalogue.usual.map(\.name))
  func aTapeIsTheSameEachTime(_ name: String) throws {
    let scenario = try #require(Catalogue.named(name))
    let factory = try reference
    let first = TapeRunner.run(
      scenario, factory, driver: SeededDriver(seed: 5), options: options)
    let second = TapeRunner.run(
      scenario, factory, driver: SeededDriver(seed: 5), options: options)
    #expect(first == second)
    // And a recorded tape is the run, whoever answers it.
    let replayed = TapeRunner.run(
      scenario, factory, driver: ReplayDriver(first.choices), options: options)
    #expect(replayed == first)
    let other = TapeRunner.run(
      scenario, factory, driver: SeededDriver(seed: 6), options: options)
    #expect(other.traceHash != first.traceHash)
  }

  /// Crashes of both kinds, also in recoveries, and faults of every class of the contract are met.
  @Test func manyTapesMeetEverything() throws {
    let factory = try reference
    var counters = TapeCounters()
    for index in 0..<25 {
      for scenario in Catalogue.usual {
        let result = TapeRunner.run(
          scenario, factory,
          driver: SeededDriver(
            seed: TapeSeed.seed(campaign: 2, scenario: scenario.name, index: index)),
          options: options)
        #expect(result.failures.isEmpty)
        #expect(result.counters.crashes > 0)
        counters.add(result.counters)
      }
    }
    #expect(counters.recoveries > 300)
    #expect(counters.crashesDuringRecovery > 10)
    #expect(counters.crashesWithPendingSectors > 50)
    #expect(counters.processKills > 100 && counters.powerLosses > 100)
    #expect(counters.threadSwitches > 100)
    // The reference engine writes each file once and syncs it: there is nothing to reorder, and too few
    // writes for one of them to go astray in so few tapes.
    for (index, fault) in FaultClass.allCases.enumerated()
    where fault != .reorderedWrite && fault != .misdirectedWrite {
      let isInScope = factory.faultContract[fault] != .outOfScope
      #expect((counters.faults[index] > 0) == isInScope, "\(fault.rawValue)")
    }
    #expect(counters.faultPoints.allSatisfy { $0.count > 0 })
    #expect(counters.probes.allSatisfy { $0.count > 0 })
  }

  @Test func anEmptyTapeRunsAndHolds() throws {
    for scenario in Catalogue.all {
      let result = TapeRunner.run(
        scenario, try reference, driver: ReplayDriver([]), options: options)
      #expect(result.failures.isEmpty)
      #expect(result.counters.operations == 0)
    }
  }

  @Test func seedsOfTapesDependOnAllThree() {
    let seed = TapeSeed.seed(campaign: 1, scenario: "ycsb-a", index: 0)
    #expect(seed == TapeSeed.seed(campaign: 1, scenario: "ycsb-a", index: 0))
    #expect(seed != TapeSeed.seed(campaign: 2, scenario: "ycsb-a", index: 0))
    #expect(seed != TapeSeed.seed(campaign: 1, scenario: "ycsb-b", index: 0))
    #expect(seed != TapeSeed.seed(campaign: 1, scenario: "ycsb-a", index: 1))
  }
}
