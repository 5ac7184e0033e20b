import EngineKit
import Interleavings
import SimulationKit
import Testing

@testable import EngineAdapters

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

  /// A compare-exchange that looks and then writes: right for one thread, and two may both exchange.
  private final class LooksAndWrites: ForwardingEngine, @unchecked Sendable {
    override func compareExchange(
      _ key: Bytes, expected: Bytes?, desired: Bytes?, in tree: TreeName
    ) throws(EngineError) -> (exchanged: Bool, original: Bytes?) {
      let original = try base.get(key, in: tree)
      if original != expected { return (false, original) }
      if let desired {
        _ = try base.insert(desired, for: key, in: tree)
      } else {
        _ = try base.remove(key, in: tree)
      }
      return (true, original)
    }
  }

  @Test func aWrongEngineIsConvictedAndTheScheduleReplays() throws {
    let program = try #require(ProgramCatalogue.named("traces-exchange-exchange"))
    let base = try #require(EngineRegistry.named("luge"))
    let factory = WrongEngineFactory("looks-and-writes", over: base, convictedBy: []) {
      LooksAndWrites($0)
    }
    var exploration = TraceExploration(program, factory, options: TapeOptions())
    let result = exploration.run()
    #expect(result.failures.first?.property == "linearizability")
    let again = TapeRunner.run(
      program, factory, driver: ReplayDriver(result.choices), options: TapeOptions())
    #expect(again.failures == result.failures && again.traceHash == result.traceHash)
  }
}
