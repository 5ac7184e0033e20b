public import EngineKit

/// Something of which tapes can be run, and found valid or not: a scenario of clients and crashes, or a
/// small concurrent program.
public protocol TapeSubject: Sendable {
  /// As given to `simulate`.
  var name: String { get }

  /// Why this engine cannot run it, or nil when it can.
  func obstacle(for factory: any EngineFactory) -> String?

  /// Runs the tape that `driver` answers, once.
  func run(
    _ factory: any EngineFactory, driver: any ChoiceDriver, options: TapeOptions
  ) -> TapeResult
}

extension Scenario: TapeSubject {
  public func run(
    _ factory: any EngineFactory, driver: any ChoiceDriver, options: TapeOptions
  ) -> TapeResult {
    TapeRun(self, factory, driver: driver, options: options).run()
  }
}
