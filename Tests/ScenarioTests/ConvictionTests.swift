import EngineAdapters
import EngineKit
import Scenarios
import SimulationKit
import Testing

/// The harness tested like a product: what is wrong is convicted, and shrunk; what is right is not.
@Suite struct ConvictionTests {
  /// The first failing tape of any usual scenario within `tapes` tapes of each.
  private func conviction(
    of factory: any EngineFactory, tapes: Int
  ) -> (scenario: Scenario, result: TapeResult)? {
    for index in 0..<tapes {
      for scenario in Catalogue.usual where scenario.obstacle(for: factory) == nil {
        let seed = TapeSeed.seed(campaign: 1, scenario: scenario.name, index: index)
        let result = TapeRunner.run(
          scenario, factory, driver: SeededDriver(seed: seed),
          options: TapeOptions(operations: 200))
        if !result.failures.isEmpty { return (scenario, result) }
      }
    }
    return nil
  }

  @Test(arguments: EngineRegistry.wrong.map(\.name) + EngineRegistry.careless.map(\.name))
  func aWrongEngineIsConvictedAndShrunk(_ name: String) throws {
    let factory = try #require(EngineRegistry.named(name))
    let meant =
      EngineRegistry.wrong.first { $0.name == name }?.convictedBy
      ?? EngineRegistry.careless.first { $0.name == name }?.convictedBy ?? []
    let (scenario, result) = try #require(conviction(of: factory, tapes: 40))
    let property = try #require(result.failures.first?.property)
    #expect(meant.contains(property), "\(property) in \(scenario.name)")
    let options = TapeOptions(operations: 200)
    let shrunk = TapeShrinking.shrink(
      result, of: scenario, factory, options: options, maximumRuns: 2000)
    #expect(shrunk.failures.contains { $0.property == property })
    // Space is not kept before something was filled and emptied.
    #expect(shrunk.counters.operations <= (property == "space" ? 200 : 10))
    // What is saved fails again in the same way.
    let again = TapeRunner.run(
      scenario, factory, driver: ReplayDriver(shrunk.choices), options: options)
    #expect(again.failures == shrunk.failures)
    #expect(again.traceHash == shrunk.traceHash)
  }

  @Test(arguments: ["reference"] + EngineRegistry.controls.map(\.name))
  func aRightEngineIsNot(_ name: String) throws {
    let factory = try #require(EngineRegistry.named(name))
    let found = conviction(of: factory, tapes: 6)
    #expect(found == nil, "\(found.map { "\($0.scenario.name): \($0.result.failures)" } ?? "")")
  }

  @Test func theCanaryFailsAndShrinksToOneOperation() throws {
    let factory = try #require(EngineRegistry.named("reference"))
    let options = TapeOptions(operations: 100)
    let result = TapeRunner.run(
      Scenario.canary, factory, driver: SeededDriver(seed: 1), options: options)
    #expect(result.failures.first?.property == "workload")
    let shrunk = TapeShrinking.shrink(
      result, of: Scenario.canary, factory, options: options, maximumRuns: 500)
    #expect(shrunk.counters.operations == 1)
  }
}
