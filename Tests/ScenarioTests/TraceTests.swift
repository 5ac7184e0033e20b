import EngineAdapters
import EngineKit
import Interleavings
import SimulationKit
import Testing

/// One call beside another, once for each order of what conflicts. (Without the trait `SchedulePoints` threads switch
/// only at I/O, locks and fault points, so there are few.)
@Suite struct TraceTests {
  private func explore(
    _ name: String, _ engine: String, mostSchedules: Int = 2000
  ) throws -> TapeResult {
    let program = try #require(ProgramCatalogue.named(name))
    let factory = try #require(EngineRegistry.named(engine))
    var exploration = TraceExploration(
      program, factory, options: TapeOptions(), mostSchedules: mostSchedules)
    return exploration.run()
  }

  @Test func thereIsOneOfEachUnorderedPair() {
    #expect(ProgramCatalogue.singles.count == 21)
    #expect(Set(ProgramCatalogue.singles.map(\.name)).count == 21)
  }

  @Test(arguments: ["traces-get-insert", "traces-overwrite-overwrite", "traces-remove-exchange"])
  func rightEnginesHold(_ name: String) throws {
    let result = try explore(name, "luge")
    #expect(result.failures == [] && result.inconclusive == nil)
    #expect(result.counters.schedules >= 1 && result.counters.schedulesSame == 0)
    #if SchedulePoints
      #expect(result.counters.schedules > 10)
    #endif
    #expect(!result.states.isEmpty)
  }

  @Test func whatIsCutOffIsCounted() throws {
    let whole = try explore("traces-get-get", "luge")
    #expect(whole.counters.schedulesCut == 0)
    #if SchedulePoints
      let cut = try explore("traces-overwrite-overwrite", "luge", mostSchedules: 5)
      #expect(cut.counters.schedules == 5 && cut.counters.schedulesCut > 0)
    #endif
  }

  @Test func aWrongEngineIsConvictedAndTheScheduleReplays() throws {
    let result = try explore("traces-get-overwrite", "stale-reads")
    #expect(result.failures.first?.property == "linearizability")
    let program = try #require(ProgramCatalogue.named("traces-get-overwrite"))
    let factory = try #require(EngineRegistry.named("stale-reads"))
    let again = TapeRunner.run(
      program, factory, driver: ReplayDriver(result.choices), options: TapeOptions())
    #expect(again.failures == result.failures && again.traceHash == result.traceHash)
  }
}
