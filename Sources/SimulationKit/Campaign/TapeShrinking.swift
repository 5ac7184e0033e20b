public import EngineKit

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
    guard let property = result.failures.first?.property else { return result }
    return withoutActuallyEscaping(shouldStop) { shouldStop in
      var shrinking = ScheduledShrinking(
        subject: subject, factory: factory, options: options, property: property,
        runsLeft: maximumRuns, shouldStop: shouldStop,
        run: run ?? { TapeRunner.run($0, $1, driver: $2, options: $3) })
      let choices = shrinking.shrink(result.choices)
      guard var best = shrinking.rerun(choices) else { return result }
      best.choices = choices
      return best
    }
  }
}
