import EngineAdapters
import EngineKit
import Interleavings
import SimulationKit
import Testing

/// Small concurrent programs: right engines hold, wrong ones are convicted, and every tape replays. (Without
/// the trait `SchedulePoints` threads switch only at I/O, locks and fault points.)
@Suite struct ProgramTests {
  private func run(
    _ program: InterleavingScenario, _ factory: any EngineFactory, tapes: Int,
    strategy: StrategyName? = nil
  ) -> [TapeResult] {
    (0..<tapes).map { index in
      TapeRunner.run(
        program, factory,
        driver: SeededDriver(
          seed: TapeSeed.seed(campaign: 3, scenario: program.name, index: index)),
        options: TapeOptions(strategy: strategy))
    }
  }

  @Test(arguments: ProgramCatalogue.all.map(\.name), ["luge", "reference"])
  func rightEnginesHold(_ program: String, _ engine: String) throws {
    let program = try #require(ProgramCatalogue.named(program))
    let factory = try #require(EngineRegistry.named(engine))
    let results = run(program, factory, tapes: 12)
    #expect(results.flatMap(\.failures) == [])
    #expect(results.reduce(0) { $0 + $1.counters.schedules } >= 12)
    #expect(results.reduce(0) { $0 + $1.counters.threadSwitches } > 100)
    if program.crashes { #expect(results.contains { $0.counters.crashes > 0 }) }
  }

  @Test(arguments: ["stale-reads", "skips-key-in-reverse", "loses-flushed-writes", "tears-batches"])
  func wrongEnginesAreConvicted(_ name: String) throws {
    let factory = try #require(EngineRegistry.named(name))
    let program = try #require(ProgramCatalogue.named("threads-crashes"))
    let results = run(program, factory, tapes: 40)
    let failing = try #require(results.first { !$0.failures.isEmpty })
    #expect(failing.failures.first?.property == "linearizability")
    let shrunk = TapeShrinking.shrink(
      failing, of: program, factory, options: TapeOptions(), maximumRuns: 1500)
    #expect(shrunk.counters.operations <= 6)
    let again = TapeRunner.run(
      program, factory, driver: ReplayDriver(shrunk.choices), options: TapeOptions())
    #expect(again.failures == shrunk.failures)
    #expect(again.traceHash == shrunk.traceHash)
  }

  /// A reader ends wherever a writer stops; a second flush does not, where the first one holds the log.
  @Test func aStoppedThreadIsNoticedWhereItHoldsOthersUp() throws {
    let factory = try #require(EngineRegistry.named("luge"))
    let free = ParkedThread.cell(factory, stopped: .insert, running: .get)
    #expect(free.points > 1 && free.blocked == 0 && free.problems == [])
    #expect(free.mostCalls > 0)
    let held = ParkedThread.cell(factory, stopped: .flush, running: .flush)
    #expect(held.blocked > 0 && held.problems == [])
    #expect(held.places.contains("log.sync"))
  }

  @Test func theStrategyAskedForIsOnTheTape() throws {
    let factory = try #require(EngineRegistry.named("reference"))
    for strategy in StrategyName.allCases {
      let program = ProgramCatalogue.all[0]
      let result = run(program, factory, tapes: 1, strategy: strategy)[0]
      let drawn = result.choices.first { $0.label == "strategy" }?.value
      #expect(drawn == (strategy == .random ? 0 : 1))
      let again = TapeRunner.run(
        program, factory, driver: ReplayDriver(result.choices), options: TapeOptions())
      #expect(again.traceHash == result.traceHash)
    }
  }
}
