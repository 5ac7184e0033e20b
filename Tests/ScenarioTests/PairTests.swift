import EngineAdapters
import EngineKit
import Interleavings
import SimulationKit
import Testing

/// Every schedule of a pair with few preemptions. (Without the trait `SchedulePoints` threads switch only at I/O,
/// locks and fault points, so there are few.)
@Suite struct PairTests {
  private func explore(
    _ name: String, _ engine: String
  ) throws -> [TapeResult] {
    let program = try #require(ProgramCatalogue.named(name))
    let factory = try #require(EngineRegistry.named(engine))
    return (0..<PairExploration.slices).map { slice in
      var exploration = PairExploration(program, factory, slice: slice, options: TapeOptions())
      return exploration.run()
    }
  }

  @Test func thereIsOneOfEachUnorderedPair() {
    #expect(ProgramCatalogue.pairs.count == 120)
    #expect(Set(ProgramCatalogue.pairs.map(\.name)).count == 120)
  }

  @Test(arguments: [
    "pair-insert-remove", "pair-batch-flush", "pair-eviction-pageIn", "pair-cleanerMove-flush",
    "pair-get-eviction",
  ])
  func rightEnginesHold(_ name: String) throws {
    let results = try explore(name, "luge")
    #expect(results.flatMap(\.failures) == [])
    #expect(results.reduce(0) { $0 + $1.counters.schedules } >= PairExploration.slices)
  }

  /// What is passed over comes to what is run: no answer and no contents are missed.
  @Test(arguments: [
    "pair-get-overwrite", "pair-insert-insert", "pair-exchange-scanForward", "pair-eviction-pageIn",
    "pair-insert-mergingRemove",
  ])
  func passedOverSchedulesShowNothingNew(_ name: String) throws {
    let program = try #require(ProgramCatalogue.named(name))
    let factory = try #require(EngineRegistry.named("luge"))
    var outcomes: [Set<UInt64>] = [[], []]
    var schedules = [0, 0]
    // One slice is enough of what takes long: the first, which leans on no other.
    for skipsSame in [false, true] {
      var exploration = PairExploration(
        program, factory, slice: 0, options: TapeOptions(), skipsSame: skipsSame)
      schedules[skipsSame ? 1 : 0] = exploration.run().counters.schedules
      outcomes[skipsSame ? 1 : 0] = exploration.outcomes
    }
    #expect(outcomes[1] == outcomes[0])
    // Without the trait nothing can be told apart.
    #if SchedulePoints
      #expect(schedules[1] < schedules[0])
    #else
      #expect(schedules[1] == schedules[0])
    #endif
  }

  @Test func aWrongEngineIsConvictedAndTheScheduleReplays() throws {
    let results = try explore("pair-get-overwrite", "stale-reads")
    let failing = try #require(results.first { !$0.failures.isEmpty })
    #expect(failing.failures.first?.property == "linearizability")
    let program = try #require(ProgramCatalogue.named("pair-get-overwrite"))
    let factory = try #require(EngineRegistry.named("stale-reads"))
    let again = TapeRunner.run(
      program, factory, driver: ReplayDriver(failing.choices), options: TapeOptions())
    #expect(again.failures == failing.failures && again.traceHash == failing.traceHash)
  }
}
