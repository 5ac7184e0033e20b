import EngineAdapters
import EngineKit
import Platform
import Scenarios
import SimulationKit
import Testing

/// Tapes in which databases are opened wrongly: a right engine refuses, and who does not is convicted.
@Suite struct MistakeTests {
  private let options = TapeOptions(operations: 20)

  private func failures(_ factory: any EngineFactory) throws -> [Failure] {
    let scenario = try #require(Catalogue.named("random-torture"))
    return (0..<60).flatMap { index in
      TapeRunner.run(
        scenario, factory,
        driver: SeededDriver(
          seed: TapeSeed.seed(campaign: 1, scenario: scenario.name, index: index)),
        options: options
      ).failures
    }
  }

  @Test func aRightEngineRefuses() throws {
    #expect(try failures(Watched(except: nil)).isEmpty)
  }

  @Test(arguments: OpeningMistake.allCases)
  func whoOpensAllTheSameIsConvicted(_ mistake: OpeningMistake) throws {
    let found = try failures(Watched(except: mistake))
    let details = found.filter { $0.property == "error-contract" }.map(\.detail)
    #expect(details.contains("opened \(mistake.rawValue)"), "\(details)")
  }
}

/// The reference engine. It refuses mistakes: all, or all but one.
private struct Watched: EngineFactory {
  private let reference: any EngineFactory
  private let mistake: OpeningMistake?

  init(except mistake: OpeningMistake?) throws {
    reference = try #require(EngineRegistry.named("reference"))
    self.mistake = mistake
  }

  var name: String { reference.name }
  var capabilities: EngineCapabilities { reference.capabilities }
  var faultContract: FaultContract { reference.faultContract }
  var faultPoints: [String] { reference.faultPoints }
  var probes: [String] { reference.probes }

  func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings
  ) throws(EngineError) -> any KeyValueEngine {
    try reference.open(directory, on: platform, settings: settings)
  }

  func open(
    _ directory: String, on platform: PlatformServices, settings: EngineSettings,
    by mistake: OpeningMistake
  ) throws(EngineError) -> (any KeyValueEngine)? {
    if mistake != self.mistake { throw EngineError(.invalidArgument, mistake.rawValue) }
    // Where the wrong engine opens it does not matter, as long as it does.
    return try reference.open(Self.elsewhere, on: platform, settings: settings)
  }

  private static let elsewhere = "/database"
}
