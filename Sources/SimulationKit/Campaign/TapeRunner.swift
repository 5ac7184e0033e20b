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

/// Makes failing tapes simple.
public enum TapeShrinking {
  /// Runs one tape, as `TapeRunner.run` does.
  public typealias Run = (
    _ subject: any TapeSubject, _ factory: any EngineFactory, _ driver: any ChoiceDriver,
    _ options: TapeOptions
  ) -> TapeResult

  /// The simplest tape found that violates the same property, run once more.
  ///
  /// - Parameter run: how tapes are run; nil: by `TapeRunner.run`.
  public static func shrink(
    _ result: TapeResult, of subject: any TapeSubject, _ factory: any EngineFactory,
    options: TapeOptions, maximumRuns: Int, shouldStop: () -> Bool = { false }, run: Run? = nil
  ) -> TapeResult {
    let run = run ?? { TapeRunner.run($0, $1, driver: $2, options: $3) }
    guard let property = result.failures.first?.property else { return result }
    // Several properties may break at one step, and another one may then come first: the tape still
    // shows this one.
    func isSame(_ again: TapeResult) -> Bool {
      again.failures.contains { $0.property == property }
    }
    var start = result.choices
    if let exact = exactly(result, of: subject, factory, options, run), isSame(exact) {
      start = exact.choices
    }
    let shrunk = Shrinker(maximumRuns: maximumRuns).shrink(
      start, shouldStop: shouldStop,
      rerun: { choices in
        let again = run(subject, factory, ReplayDriver(choices), options)
        return isSame(again) ? again.choices : nil
      })
    var best = run(subject, factory, ReplayDriver(shrunk.choices), options)
    guard isSame(best) else { return result }
    best.choices = shrunk.choices
    return best
  }

  /// The same run, with its schedule said exactly; nil where the tape has none, or the options name a strategy.
  private static func exactly(
    _ result: TapeResult, of subject: any TapeSubject, _ factory: any EngineFactory,
    _ options: TapeOptions, _ run: Run
  ) -> TapeResult? {
    if options.strategy != nil { return nil }
    var recording = options
    recording.recordsSchedule = true
    let again = run(subject, factory, ReplayDriver(result.choices), recording)
    guard !again.schedule.isEmpty,
      let place = again.choices.firstIndex(where: { $0.lane == "plan" && $0.label == "strategy" })
    else { return nil }
    var choices = again.choices
    choices[place].value = InterleavingPlan.exactStrategy
    choices.removeAll(where: \.isOfSchedule)
    return run(subject, factory, ReplayDriver(choices + again.schedule), options)
  }
}
