public import EngineKit

/// Runs single tapes.
public enum TapeRunner {
  /// Runs the tape that `driver` answers, once.
  public static func run(
    _ subject: any TapeSubject, _ factory: any EngineFactory, driver: any ChoiceDriver,
    options: TapeOptions = TapeOptions()
  ) -> TapeResult {
    subject.run(factory, driver: driver, options: options)
  }

  /// Runs the tape of a seed twice. Where the two runs differ, that is a failure "determinism"
  /// with the first event that differs.
  public static func runTwice(
    _ subject: any TapeSubject, _ factory: any EngineFactory, seed: UInt64,
    options: TapeOptions = TapeOptions()
  ) -> TapeResult {
    var first = run(subject, factory, driver: SeededDriver(seed: seed), options: options)
    let second = run(subject, factory, driver: SeededDriver(seed: seed), options: options)
    if first.traceHash == second.traceHash { return first }
    var kept = options
    kept.keepsEvents = true
    let left = run(subject, factory, driver: SeededDriver(seed: seed), options: kept)
    let right = run(subject, factory, driver: SeededDriver(seed: seed), options: kept)
    first.failures.append(
      Failure(
        property: "determinism", detail: difference(left.events, right.events),
        step: first.counters.operations))
    return first
  }

  private static func difference(_ left: [String], _ right: [String]) -> String {
    var index = 0
    while index < left.count && index < right.count && left[index] == right[index] { index += 1 }
    if index == left.count && index == right.count {
      return "two runs had different trace hashes, and two further ones had the same"
    }
    let one = index < left.count ? left[index] : "the end"
    let other = index < right.count ? right[index] : "the end"
    return "event \(index) is \"\(one)\" in one run and \"\(other)\" in the other"
  }
}
